#include <heed/math/packed.hpp>
#include <heed/math/product.hpp>

#include "support/allocations.hpp"
#include "support/catch.hpp"
#include "support/random_tensor.hpp"

namespace heed::packed_test {

using heed::testing::random_tensor;

namespace {

using M = Matrix<double>;

M matrix(Index rows, Index cols, std::uint64_t seed) {
  return random_tensor({rows, cols}, seed).matrix();
}

bool equal(const M& a, const M& b) {
  return a.rows() == b.rows() && a.cols() == b.cols() && (a - b).cwiseAbs().maxCoeff() < 1e-12;
}

/// Column `j` of row `k`, with zeros behind the last column up to a whole packet.
void check_layout(const Packed<double>& packed, const M& b, bool one_row) {
  const Index width = detail::panel_cols<double>(one_row);
  for (Index j = 0; j < b.cols(); j += width) {
    const Index cols = std::min(width, b.cols() - j);
    const Index packets = detail::packets_of<double>(cols);
    for (Index k = 0; k < b.rows(); ++k) {
      const double* row = packed.row_of_panel(k, j, packets);
      for (Index i = 0; i < packets * widest<double>; ++i) {
        CHECK(row[i] == (i < cols ? b(k, j + i) : 0));
      }
    }
  }
}

}  // namespace

TEST_CASE("A packed factor has its columns in panels, and zeros behind the last") {
  for (const bool one_row : {false, true}) {
    for (const Index cols : {1, 7, 16, 70}) {
      CAPTURE(one_row, cols);
      const M b = matrix(5, cols, 1), bt = b.transpose();
      Packed<double> packed;
      packed.assign(b, one_row);
      CHECK(packed.rows() == 5);
      CHECK(packed.cols() == cols);
      CHECK(packed.one_row() == one_row);
      check_layout(packed, b, one_row);
      packed.assign(transposed(bt), one_row);
      check_layout(packed, b, one_row);
    }
  }
}

TEST_CASE("A factor that is packed for many rows serves one row, too") {
  for (const Index cols : {1, 16, 24, 25, 70, 130}) {
    CAPTURE(cols);
    const M a = matrix(9, 5, 1), b = matrix(5, cols, 2);
    Packed<double> packed;
    packed.assign(b, false);
    M all(9, cols), one(1, cols);
    set_product<double>(all, a, packed);
    set_product<double>(one, a.row(3), packed);
    CHECK(equal(one, a.row(3) * b));
    CHECK(one == all.row(3));
  }
}

TEST_CASE("A factor that is packed again, no larger than before, allocates nothing") {
  const M b = matrix(20, 30, 1), smaller = matrix(10, 30, 2);
  Packed<double> packed;
  packed.assign(b, false);
  const testing::Allocations allocations;
  packed.assign(b, false);
  packed.assign(smaller, false);
  CHECK(allocations.count() == 0);
}

TEST_CASE("A packed factor gives the same bits as one that is not") {
  for (const Index rows : {1, 2, 30}) {
    for (const Index inner : {1, 33, 900}) {
      for (const Index cols : {1, 7, 16, 150}) {
        CAPTURE(rows, inner, cols);
        const M a = matrix(rows, inner, 1), b = matrix(inner, cols, 2), bt = b.transpose();
        const M start = matrix(rows, cols, 3);
        M expected(rows, cols), c(rows, cols);
        set_product<double>(expected, start, a, b);
        Packed<double> packed;
        packed.assign(b, rows == 1);
        set_product<double>(c, start, a, packed);
        // Products with a column add its numbers up in another order.
        CHECK((cols == 1 ? equal(c, expected) : c == expected));
        packed.assign(transposed(bt), rows == 1);
        c = start;
        add_product<double>(c, a, packed);
        CHECK((cols == 1 ? equal(c, expected) : c == expected));
        set_product<double>(expected, a, b);
        set_product<double>(c, a, packed);
        CHECK((cols == 1 ? equal(c, expected) : c == expected));
      }
    }
  }
}

TEST_CASE("A product with some rows of a packed factor is that with those rows") {
  for (const Index rows : {1, 30}) {
    for (const Index cols : {7, 40}) {
      const M b = matrix(50, cols, 2), start = matrix(rows, cols, 3);
      Packed<double> packed;
      packed.assign(b, rows == 1);
      for (const Index first : {0, 1, 20, 49}) {
        for (const Index count : {Index{1}, 50 - first}) {
          CAPTURE(rows, cols, first, count);
          const M a = matrix(rows, count, 1);
          M c = start;
          add_product<double>(c, a, packed, first);
          CHECK(equal(c, start + a * b.middleRows(first, count)));
        }
      }
    }
  }
}

}  // namespace heed::packed_test
