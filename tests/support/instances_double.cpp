#include <heed/heed.hpp>

namespace heed {

#define HEED_INSTANCE template
#define HEED_SCALAR double
#include "instances.inc"

}  // namespace heed
