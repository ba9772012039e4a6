// error: heed needs C\+\+20: compile with -std=c\+\+20
// options: -std=c++17
#include <heed/stream/stream.hpp>

#include <heed/heed.hpp>
#include <heed/io.hpp>
#include <heed/keras.hpp>
#include <heed/plot.hpp>

int main() {}
