#include <heed/heed.hpp>
#include <heed/version.hpp>

int main() { return HEED_VERSION_MAJOR == 0 ? 0 : 1; }
