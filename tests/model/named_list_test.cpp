#include <heed/model/named_list.hpp>

#include "support/catch.hpp"
#include "support/errors.hpp"

namespace heed::named_list_test {

using testing::message;

namespace {

const std::vector<std::string> names{"price", "sold"};

std::vector<double> ordered(const NamedList<double>& list) {
  return list.in_order<OptionError>(names, "a weight", "outputs");
}

std::string refused(const NamedList<double>& list) {
  return message<OptionError>([&] { ordered(list); });
}

}  // namespace

TEST_CASE("A list by order and one by names, in any order, are the same") {
  CHECK(ordered({1., 2.}) == std::vector<double>{1, 2});
  CHECK(ordered({{"price", 1}, {"sold", 2}}) == std::vector<double>{1, 2});
  CHECK(ordered({{"sold", 2}, {"price", 1}}) == std::vector<double>{1, 2});
  CHECK(ordered(NamedList<double>(std::vector{1., 2.})) == std::vector<double>{1, 2});
}

TEST_CASE("A list of one may be given without braces, and by its name") {
  const std::vector<std::string> only{"y"};
  const auto of = [&](const NamedList<double>& list) {
    return list.in_order<OptionError>(only, "a weight", "outputs");
  };
  CHECK(of(3.) == std::vector<double>{3});
  CHECK(of(3) == std::vector<double>{3});
  CHECK(of({3.}) == std::vector<double>{3});
  CHECK(of({{"y", 3}}) == std::vector<double>{3});
  CHECK(message<OptionError>([&] {
          of({{"z", 3}});
        }) == "there is no \"z\" among the outputs \"y\"");
}

TEST_CASE("Things are kept in the order in which they are given") {
  const NamedList<double> list{{"sold", 2}, {"price", 1}};
  CHECK(list.things() == std::vector<double>{2, 1});
  CHECK(list.size() == 2);
  CHECK(!list.empty());
  CHECK(NamedList<double>().empty());
  const NamedList<double> copy = list;  // and not a list of one list
  CHECK(ordered(copy) == std::vector<double>{1, 2});
  NamedList<double> changed = list;
  changed = {2., 1.};  // whose names are gone
  CHECK(ordered(changed) == std::vector<double>{2, 1});
  changed = {};
  CHECK(changed.empty());
}

TEST_CASE("A list that does not fit is refused with a sentence") {
  CHECK(refused({}) == "expected a weight for each of the outputs \"price\", \"sold\", got 0");
  CHECK(refused(1.) == "expected a weight for each of the outputs \"price\", \"sold\", got 1");
  CHECK(refused({1., 2., 3.}) ==
        "expected a weight for each of the outputs \"price\", \"sold\", got 3");
  CHECK(refused({{"price", 1}}) ==
        "expected a weight for each of the outputs \"price\", \"sold\", got 1");
  CHECK(refused({{"price", 1}, {"sld", 2}}) ==
        "there is no \"sld\" among the outputs \"price\", \"sold\"");
  CHECK(refused({{"price", 1}, {"sold", 2}, {"price", 3}}) ==
        "expected a weight for \"price\", got two");
  // The error is of the type asked for.
  CHECK(message<ShapeError>([] {
          NamedList<double>(1.).in_order<ShapeError>(names, "data", "inputs");
        }) == "expected data for each of the inputs \"price\", \"sold\", got 1");
}

}  // namespace heed::named_list_test
