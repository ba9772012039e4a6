#include <heed/heed.hpp>
#include <heed/keras.hpp>

int main() {}
