#include <heed/math/product.hpp>

#include "support/allocations.hpp"
#include "support/catch.hpp"
#include "support/random_tensor.hpp"

namespace heed::product_test {

using heed::testing::distance;
using heed::testing::random_tensor;

namespace {

using M = Matrix<double>;

M matrix(Index rows, Index cols, std::uint64_t seed) {
  return random_tensor({rows, cols}, seed).matrix();
}

/// The sum that defines the product, element by element.
M by_definition(const M& a, const M& b) {
  M c(a.rows(), b.cols());
  for (Index i = 0; i < c.rows(); ++i) {
    for (Index j = 0; j < c.cols(); ++j) {
      c(i, j) = 0;
      for (Index k = 0; k < a.cols(); ++k) c(i, j) += a(i, k) * b(k, j);
    }
  }
  return c;
}

bool equal(const M& a, const M& b) {
  return a.rows() == b.rows() && a.cols() == b.cols() && (a - b).cwiseAbs().maxCoeff() < 1e-12;
}

}  // namespace

TEST_CASE("Products of either factor as it is or transposed are those of the definition") {
  struct Sizes {
    Index rows, inner, cols;
  };
  for (const auto& [rows, inner, cols] :
       {Sizes{1, 1, 1}, Sizes{1, 5, 7}, Sizes{6, 1, 3}, Sizes{4, 7, 1}, Sizes{3, 4, 5},
        Sizes{33, 20, 17}, Sizes{300, 3, 290}, Sizes{5, 5000, 6}, Sizes{260, 200, 270},
        Sizes{1, 700, 90}, Sizes{700, 1, 9}, Sizes{90, 700, 1}, Sizes{25, 400, 24}}) {
    const M a = matrix(rows, inner, 1);
    const M b = matrix(inner, cols, 2);
    const M at = a.transpose();
    const M bt = b.transpose();
    const M start = matrix(rows, cols, 3);
    const M expected = by_definition(a, b);
    M c = start;
    add_product<double>(c, a, b);
    CHECK(equal(c, start + expected));
    c = start;
    add_product<double>(c, transposed(at), b);
    CHECK(equal(c, start + expected));
    c = start;
    add_product<double>(c, a, transposed(bt));
    CHECK(equal(c, start + expected));
    c = start;
    add_product<double>(c, transposed(at), transposed(bt));
    CHECK(equal(c, start + expected));
    set_product<double>(c, a, b);
    CHECK(equal(c, expected));
    c = start;
    set_product<double>(c, transposed(at), b);
    CHECK(equal(c, expected));
  }
}

TEMPLATE_TEST_CASE("A row of a product has the same bits, however many rows are computed with it",
                   "", float, double) {
  using Values = Matrix<TestType>;
  const auto random = [](Index rows, Index cols, std::uint64_t seed) {
    return Values(matrix(rows, cols, seed).cast<TestType>());
  };
  for (const Index inner : {1, 7, 32, 1000}) {
    for (const Index cols : {2, 16, 33}) {
      const Values a = random(29, inner, 1), b = random(inner, cols, 2), bt = b.transpose();
      Values all(29, cols), transposed_all(29, cols);
      set_product<TestType>(all, a, b);
      set_product<TestType>(transposed_all, a, transposed(bt));
      CHECK(all == transposed_all);
      for (const Index rows : {1, 2, 3, 6, 7, 8, 13}) {
        CAPTURE(inner, cols, rows);
        Values some(rows, cols);
        set_product<TestType>(some, a.bottomRows(rows), b);
        CHECK(some == all.bottomRows(rows));
        set_product<TestType>(some, a.bottomRows(rows), transposed(bt));
        CHECK(some == all.bottomRows(rows));
      }
    }
  }
}

TEST_CASE("Products begin with a matrix, or with one row for all") {
  for (const Index cols : {1, 7, 40}) {
    for (const Index inner : {0, 5, 900}) {
      CAPTURE(cols, inner);
      const M a = matrix(9, inner, 1), b = matrix(inner, cols, 2), start = matrix(9, cols, 3);
      const auto row = random_tensor({cols}, 4);
      M c = M::Constant(9, cols, std::numeric_limits<double>::quiet_NaN());
      set_product<double>(c, start, a, b);
      CHECK(equal(c, start + by_definition(a, b)));
      set_product<double>(c, repeated(row.view()), a, b);
      M expected = by_definition(a, b);
      expected.rowwise() += row.row();
      CHECK(equal(c, expected));
    }
  }
}

TEMPLATE_TEST_CASE("Inner products of all sizes are the sums of their terms", "", float, double) {
  using S = TestType;
  const auto a = random_tensor<S>({80}, 1), b = random_tensor<S>({80}, 2);
  double expected = 0;
  for (Index size = 0; size <= 80; ++size) {
    CAPTURE(size);
    const auto sum = static_cast<double>(detail::inner_product<S>(a.data(), b.data(), size));
    CHECK(std::abs(sum - expected) < 20 * double(std::numeric_limits<S>::epsilon()));
    if (size < 80) expected += double(a.data()[size]) * double(b.data()[size]);
  }
}

TEST_CASE("The sum of rows is added to what stood there") {
  for (const Index rows : {0, 1, 3, 4, 9}) {
    CAPTURE(rows);
    const M m = matrix(rows, 11, 1);
    auto sums = random_tensor({11}, 2);
    M expected = sums.row();
    for (Index n = 0; n < rows; ++n) expected += m.row(n);
    add_row_sum<double>(sums, m);
    CHECK(equal(sums.row(), expected));
  }
}

TEST_CASE("set_product does not mind what stood there") {
  const M a = matrix(3, 4, 1);
  const M b = matrix(4, 5, 2);
  M c = M::Constant(3, 5, std::numeric_limits<double>::quiet_NaN());
  set_product<double>(c, a, b);
  CHECK(equal(c, by_definition(a, b)));
}

TEST_CASE("Products take rows and columns of other matrices") {
  M wide = matrix(5, 12, 1);
  const M before = wide;
  const M a = matrix(5, 4, 2);
  const M b = matrix(4, 3, 3);
  set_product<double>(wide.middleCols(2, 3), a, b);
  CHECK(equal(wide.middleCols(2, 3), by_definition(a, b)));
  CHECK(wide.leftCols(2) == before.leftCols(2));
  CHECK(wide.rightCols(7) == before.rightCols(7));

  M c(1, 3);
  set_product<double>(c, before.row(2).middleCols(4, 4), b);
  CHECK(equal(c, by_definition(before.row(2).middleCols(4, 4), b)));
  M outer(5, 3);
  set_product<double>(outer, transposed(before.row(1).leftCols(5)), c);
  CHECK(equal(outer, by_definition(before.row(1).leftCols(5).transpose(), c)));
}

TEST_CASE("Products without rows, columns or terms are empty or zero") {
  M c(0, 3);
  set_product<double>(c, M(0, 4), matrix(4, 3, 1));
  CHECK(c.size() == 0);
  M zero = matrix(2, 3, 1);
  set_product<double>(zero, M(2, 0), M(0, 3));
  CHECK(zero.cwiseAbs().sum() == 0);
}

TEST_CASE("Products do not allocate, whatever their sizes") {
  struct Sizes {
    Index rows, inner, cols;
  };
  for (const auto& [rows, inner, cols] :
       {Sizes{30, 32, 48}, Sizes{640, 2, 128}, Sizes{32, 640, 128}, Sizes{300, 400, 500},
        Sizes{1, 9000, 50}, Sizes{50, 9000, 1}, Sizes{3, 40000, 5}}) {
    CAPTURE(rows, inner, cols);
    const auto a = random_tensor({rows, inner}, 1);
    const auto b = random_tensor({inner, cols}, 2);
    auto c = random_tensor({rows, cols}, 3);
    auto da = random_tensor({rows, inner}, 4);
    auto db = random_tensor({inner, cols}, 5);
    const testing::Allocations allocations;
    set_product<double>(c.matrix(), a.matrix(), b.matrix());
    set_product<double>(da.matrix(), c.matrix(), transposed(b.matrix()));
    set_product<double>(db.matrix(), transposed(a.matrix()), c.matrix());
    const std::size_t count = allocations.count();
    CHECK(count == 0);
  }
}

}  // namespace heed::product_test
