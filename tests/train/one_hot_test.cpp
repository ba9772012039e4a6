#include <heed/train/one_hot.hpp>

#include "support/catch.hpp"
#include "support/errors.hpp"

namespace heed::one_hot_test {

namespace {

std::string refused(const Tensor<double>& labels, Index classes = 3) {
  return testing::message<DataError>([&] { one_hot<double>(labels, classes); });
}

}  // namespace

TEST_CASE("class numbers become rows with a 1 at their place") {
  const Tensor<double, 2> expected{{0, 1, 0}, {1, 0, 0}, {0, 0, 1}};
  CHECK(one_hot<double>(Tensor<double, 1>{1, 0, 2}, 3) == expected.view());
  CHECK(one_hot<double>(Tensor<double, 2>{{1}, {0}, {2}}, 3) == expected.view());
  CHECK(one_hot<double>(std::vector<int>{1, 0, 2}, 3) == expected.view());
  CHECK(one_hot<float>(std::vector<unsigned char>{}, 3).shape() == Shape{0, 3});
  const auto steps = one_hot<float>(Tensor<float, 2>{{1, 0}, {2, 1}}, 4);
  CHECK(steps.shape() == Shape{2, 2, 4});
  CHECK(steps(1, 0, 2) == 1);
  CHECK(steps.array().sum() == 4);
}

TEST_CASE("labels that are no class are refused with their place") {
  const std::string start = "one_hot: expected whole numbers from 0 to 2, got ";
  CHECK(refused(Tensor<double, 1>{0, 3}) == start + "3 at (1)");
  CHECK(refused(Tensor<double, 2>{{0, -1}}) == start + "-1 at (0, 1)");
  CHECK(refused(Tensor<double, 1>{1.5}) == start + "1.5 at (0)");
  CHECK(refused(Tensor<double, 1>{NAN}) == start + "nan at (0)");
  CHECK(testing::message<DataError>([] { one_hot<float>(std::vector<int>{-7}, 2); }) ==
        "one_hot: expected whole numbers from 0 to 1, got -7 at (0)");
  CHECK_THROWS_AS(one_hot<float>(Tensor<float, 1>{1}, 0), OptionError);
}

}  // namespace heed::one_hot_test
