#include <heed/heed.hpp>
#include <heed/io.hpp>

int main() {}
