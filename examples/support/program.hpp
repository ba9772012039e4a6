#pragma once

#include <CLI/CLI.hpp>
#include <charconv>
#include <exception>
#include <filesystem>
#include <fstream>
#include <functional>
#include <iostream>
#include <optional>
#include <span>
#include <string_view>

#include <heed/io/file.hpp>

/// The exit status of an example.
enum ExitStatus { succeeded = 0, failed = 1, wrong_usage = 2 };

/// Parses the command line. For wrong options it prints a message and the usage, and returns
/// `wrong_usage`; after `--help` it returns `succeeded`; otherwise it returns nothing, and the
/// program continues.
inline std::optional<int> parse(CLI::App& app, int argc, char** argv) {
  app.failure_message([](const CLI::App* program, const CLI::Error& error) {
    return heed::join("error: ", error.what(), "\n\n", program->help());
  });
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? succeeded : wrong_usage;
  }
  return std::nullopt;
}

/// Checks an option that is a whole number: `option->check(at_least(1))`.
inline CLI::Validator at_least(std::int64_t least) {
  const auto complaint = [least](const std::string& text) {
    std::int64_t value = 0;
    const char* end = text.data() + text.size();
    const auto read = std::from_chars(text.data(), end, value);
    const bool good = read.ec == std::errc{} && read.ptr == end && value >= least;
    return good ? "" : heed::join("expected a whole number of at least ", least, ", got ", text);
  };
  return {complaint, ""};
}

/// Runs the program. An exception is printed as a sentence to stderr, and the exit status is
/// `failed`.
inline int run(const std::function<void()>& program) {
  try {
    program();
  } catch (const std::exception& error) {
    std::cerr << "error: " << error.what() << "\n";
    return failed;
  }
  return succeeded;
}

/// A writable folder, which is created if necessary and tested with an empty file. Throws
/// `heed::FileError` with the system's reason.
inline std::filesystem::path writable_directory(const std::filesystem::path& directory) {
  std::error_code reason;
  std::filesystem::create_directories(directory, reason);
  if (!std::filesystem::is_directory(directory)) {
    throw heed::FileError(heed::join("cannot make the directory \"", directory.string(), "\": ",
                                     reason ? reason.message() : "something else is there"));
  }
  const auto trial = directory / ".heed-trial";
  heed::write_file(trial, {});
  std::filesystem::remove(trial, reason);
  return directory;
}

/// Throws `heed::FileError` unless everything was written.
inline void write_text(const std::filesystem::path& path, std::string_view text) {
  heed::write_file(path, std::as_bytes(std::span(text)));
}
