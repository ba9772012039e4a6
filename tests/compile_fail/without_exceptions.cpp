// error: heed needs exceptions, which say what was wrong: compile without -fno-exceptions
// options: -fno-exceptions
#include <heed/stream/stream.hpp>

#include <heed/heed.hpp>
#include <heed/io.hpp>
#include <heed/keras.hpp>
#include <heed/plot.hpp>

int main() {}
