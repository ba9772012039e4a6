#include <cmath>
#include <heed/train/history.hpp>
#include <sstream>

#include "support/catch.hpp"
#include "support/errors.hpp"

namespace heed::history_test {

TEST_CASE("logs keep the order in which names were first set") {
  Logs logs{{"loss", 1}};
  logs.set("val_loss", 2);
  logs.set("loss", 3);
  CHECK(logs == Logs{{"loss", 3}, {"val_loss", 2}});
  CHECK(logs["loss"] == 3);
  CHECK(logs.contains("val_loss"));
  CHECK_FALSE(logs.contains("val"));
}

TEST_CASE("logs say what they have when asked for what they have not") {
  CHECK(testing::message<OptionError>([] {
          Logs{{"loss", 1}, {"mae", 2}}["acc"];
        }) == "there is no \"acc\" among \"loss\", \"mae\"");
  CHECK(testing::message<OptionError>([] { Logs{}["acc"]; }) ==
        "there is no \"acc\" among no values");
}

TEST_CASE("a history has one number an epoch for each name, and NaN where an epoch had none") {
  History history;
  history.append({{"loss", 0.5}});
  history.append({{"loss", 0.25}, {"rate", 0.1}});
  history.append({{"rate", 0.2}});
  CHECK(history.epochs() == 3);
  CHECK(history["rate"][1] == 0.1);
  CHECK(history["rate"][2] == 0.2);
  CHECK(std::isnan(history["rate"][0]));
  CHECK(std::isnan(history["loss"][2]));
  CHECK(testing::message<OptionError>([&] { history["accuracy"]; }) ==
        "the history has no \"accuracy\" among \"loss\", \"rate\"");
}

TEST_CASE("a history and its logs can be gone through by name") {
  History history;
  history.append({{"loss", 0.5}, {"rate", 0.1}});
  history.append({{"loss", 0.25}, {"rate", 0.2}});
  std::string names;
  for (const auto& [name, values] : history) {
    names += name + " ";
    CHECK(values.size() == 2);
  }
  CHECK(names == "loss rate ");
  CHECK(Logs().empty());
  CHECK_FALSE(Logs({{"loss", 0.5}}).empty());
}

TEST_CASE("a history is written as CSV with numbers that read back as the same bits") {
  History history;
  history.append({{"loss", 0.1}, {"val_loss", 1.0 / 3}});
  history.append({{"loss", 1e-8}, {"val_loss", 2}});
  std::ostringstream out;
  history.write_csv(out);
  CHECK(out.str() == "epoch,loss,val_loss\n1,0.1,0.3333333333333333\n2,1e-08,2\n");
}

TEST_CASE("A CSV file quotes names that need it") {
  History history;
  history.append({{"f1, macro", 1}, {"the \"real\" loss", 2}, {"two\nlines", 3}, {"plain", 4}});
  std::ostringstream out;
  history.write_csv(out);
  CHECK(out.str() ==
        "epoch,\"f1, macro\",\"the \"\"real\"\" loss\",\"two\nlines\",plain\n1,1,2,3,4\n");
}

TEST_CASE("A column of a temporary history is a copy") {
  const auto made = [] {
    History history;
    history.append({{"loss", 0.5}});
    return history;
  };
  const auto& loss = made()["loss"];
  CHECK(loss == std::vector<double>{0.5});
  STATIC_REQUIRE(std::is_same_v<decltype(made()["loss"]), std::vector<double>>);
}

}  // namespace heed::history_test
