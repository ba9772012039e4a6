#include <heed/math/strided.hpp>

#include "support/catch.hpp"
#include "support/random_tensor.hpp"

namespace heed::strided_test {

using heed::testing::random_tensor;

namespace {

double element(const Strided<const double>& m, Index i, Index j) {
  return m.data[i * m.row_stride + j * m.col_stride];
}

bool same(const Strided<const double>& strided, const Matrix<double>& expected) {
  bool result = strided.rows == expected.rows() && strided.cols == expected.cols();
  for (Index i = 0; result && i < expected.rows(); ++i) {
    for (Index j = 0; j < expected.cols(); ++j) result &= element(strided, i, j) == expected(i, j);
  }
  return result;
}

}  // namespace

TEST_CASE("A strided matrix is the matrix, map, row or block it is made from") {
  const auto x = random_tensor({4, 6, 3}, 1);
  const Matrix<double> m = x.matrix();
  CHECK(same(Strided<const double>(m), m));
  CHECK(same(Strided<const double>(x.matrix()), m));
  CHECK(same(Strided<const double>(x.step(2)), x.step(2)));
  CHECK(same(Strided<const double>(m.row(5)), m.row(5)));
  CHECK(same(Strided<const double>(m.block(2, 1, 7, 2)), m.block(2, 1, 7, 2)));
}

TEST_CASE("Transposed, a strided matrix has rows and columns swapped, and twice it is itself") {
  const Matrix<double> m = random_tensor({5, 7}, 1).matrix();
  CHECK(same(transposed(m), m.transpose()));
  CHECK(same(transposed(m).transpose(), m));
  CHECK(same(transposed(m.middleCols(2, 3)), m.middleCols(2, 3).transpose()));
}

TEST_CASE("A repeated row is the same in any row") {
  const auto bias = random_tensor({6}, 1);
  const Strided<const double> start = repeated(bias.view());
  for (const Index i : {0, 1, 100}) {
    for (Index j = 0; j < 6; ++j) CHECK(element(start, i, j) == bias(j));
  }
}

TEST_CASE("What is written through a strided matrix is read through one that is const") {
  Matrix<double> m = Matrix<double>::Zero(2, 3);
  const Strided<double> writable(m);
  const Strided<const double> readable = writable;
  writable.data[4] = 7;
  CHECK(element(readable, 1, 1) == 7);
}

}  // namespace heed::strided_test
