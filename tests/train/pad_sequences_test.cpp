#include <heed/train/pad_sequences.hpp>

#include "support/catch.hpp"
#include "support/errors.hpp"
#include "support/random_tensor.hpp"

namespace heed::pad_sequences_test {

namespace {

const std::vector<std::vector<int>> lists{{1}, {2, 3}, {}, {4, 5, 6}};

}  // namespace

TEST_CASE("sequences are padded before their first step, to the longest, unless told otherwise") {
  CHECK(pad_sequences<float>(lists) ==
        Tensor<float, 2>{{0, 0, 1}, {0, 2, 3}, {0, 0, 0}, {4, 5, 6}});
  CHECK(pad_sequences<float>(lists, {.padding = Padding::post}) ==
        Tensor<float, 2>{{1, 0, 0}, {2, 3, 0}, {0, 0, 0}, {4, 5, 6}});
  CHECK(pad_sequences<float>(lists, {.value = -1.5}) ==
        Tensor<float, 2>{{-1.5, -1.5, 1}, {-1.5, 2, 3}, {-1.5, -1.5, -1.5}, {4, 5, 6}});
  CHECK(pad_sequences<float>(lists, {.maxlen = 4}) ==
        Tensor<float, 2>{{0, 0, 0, 1}, {0, 0, 2, 3}, {0, 0, 0, 0}, {0, 4, 5, 6}});
}

TEST_CASE("sequences that are too long lose their first steps, unless told otherwise") {
  CHECK(pad_sequences<double>(lists, {.maxlen = 2}) ==
        Tensor<double, 2>{{0, 1}, {2, 3}, {0, 0}, {5, 6}});
  CHECK(pad_sequences<double>(lists, {.maxlen = 2, .truncating = Truncating::post}) ==
        Tensor<double, 2>{{0, 1}, {2, 3}, {0, 0}, {4, 5}});
  CHECK(pad_sequences<double>(lists, {.maxlen = 1, .padding = Padding::post}) ==
        Tensor<double, 2>{{1}, {3}, {0}, {6}});
}

TEST_CASE("sequences of any kind are padded") {
  CHECK(pad_sequences<float>({{1}, {2, 3}}) == Tensor<float, 2>{{0, 1}, {2, 3}});
  CHECK(pad_sequences(Sequences<double>{{1}, {2, 3}}) == Tensor<double, 2>{{0, 1}, {2, 3}});
  const std::vector<Tensor<double>> given{testing::random_tensor(Shape{2, 3, 2}, 1),
                                          testing::random_tensor(Shape{4, 3, 2}, 2)};
  const auto x = pad_sequences<double>(given, {.maxlen = 3, .value = 7});
  REQUIRE(x.shape() == Shape{2, 3, 3, 2});
  const Tensor<double> sevens(Shape{3, 2}, std::vector<double>(6, 7));
  CHECK(x.sample(0).sample(0) == sevens);
  CHECK(x.sample(0).samples(1, 2) == given[0]);
  CHECK(x.sample(1) == given[1].samples(1, 3));
}

TEST_CASE("sequences without steps, and none at all, are padded") {
  CHECK(pad_sequences<float>(std::vector<std::vector<int>>(3)).shape() == Shape{3, 0});
  CHECK(pad_sequences<float>(std::vector<std::vector<int>>(2), {.maxlen = 3, .value = 1}) ==
        Tensor<float, 2>{{1, 1, 1}, {1, 1, 1}});
  CHECK(pad_sequences<float>(std::vector<std::vector<int>>()).shape() == Shape{0, 0});
  CHECK(pad_sequences(Sequences<float>(Shape{12}), {.maxlen = 5}).shape() == Shape{0, 5, 12});
}

TEST_CASE("what pad_sequences cannot pad is refused") {
  const auto refused = [](Index maxlen) {
    return testing::message<OptionError>([&] { pad_sequences<float>(lists, {.maxlen = maxlen}); });
  };
  CHECK(refused(0) == "pad_sequences: expected a maxlen of at least 1, got 0");
  CHECK(refused(-2) == "pad_sequences: expected a maxlen of at least 1, got -2");
  const std::vector<Tensor<float>> other_steps{Tensor<float>(Shape{2, 3}),
                                               Tensor<float>(Shape{2, 4})};
  CHECK_THROWS_AS(pad_sequences<float>(other_steps), ShapeError);
  CHECK_THROWS_AS(pad_sequences<float>(lists, {.maxlen = std::numeric_limits<Index>::max()}),
                  ShapeError);
}

}  // namespace heed::pad_sequences_test
