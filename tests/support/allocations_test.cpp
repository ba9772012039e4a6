#include "support/allocations.hpp"

#include <heed/tensor/tensor.hpp>

#include <new>
#include <thread>

#include "support/catch.hpp"

namespace heed::allocations_test {

using heed::testing::Allocations;

TEST_CASE("Allocations by new, by containers and by Eigen are counted, and no others") {
  if (!Allocations::are_counted()) return;
  const Allocations allocations;
  CHECK(allocations.count() == 0);

  // A call, because a compiler may leave out what a new expression allocates.
  void* const number = ::operator new(1);
  const std::size_t after_new = allocations.count();
  CHECK(after_new == 1);
  CHECK(allocations.bytes() >= 1);

  const heed::Tensor<double, 1> tensor(heed::Shape{5});
  const std::size_t after_tensor = allocations.count();
  CHECK(after_tensor == 2);

  const Eigen::MatrixXd matrix(3, 3);
  const std::size_t after_matrix = allocations.count();
  CHECK(after_matrix == 3);

  ::operator delete(number);
  CHECK(tensor(0) + static_cast<double>(matrix.rows()) == 3);
  const Allocations later;
  CHECK(later.count() == 0);
  CHECK(later.bytes() == 0);
  ::operator delete(::operator new(12'345));
  const std::size_t size = later.bytes();
  CHECK((12'345 <= size && size < 13'000));
}

TEST_CASE("Allocations of another thread count when all threads do, and not otherwise") {
  std::size_t there = 0;
  std::size_t before = 0;
  std::size_t after = 0;
  const Allocations everywhere(Allocations::Of::all_threads);
  const Allocations allocations;
  std::thread thread([&] {
    const Allocations own;
    ::operator delete(::operator new(1));
    there = own.count();
  });
  before = allocations.count();
  thread.join();
  after = allocations.count();
  if (Allocations::are_counted()) {
    CHECK(there == 1);
    CHECK(everywhere.count() > before);
  }
  CHECK(after == before);
}

#if defined(EIGEN_RUNTIME_NO_MALLOC)
TEST_CASE("Eigen may not allocate while a test forbids it") {
  CHECK(Eigen::internal::is_malloc_allowed());
  {
    const testing::NoEigenAllocations forbidden;
    const bool allowed = Eigen::internal::is_malloc_allowed();
    CHECK_FALSE(allowed);
  }
  CHECK(Eigen::internal::is_malloc_allowed());
}
#endif

}  // namespace heed::allocations_test
