#include <heed/heed.hpp>

namespace heed {

#define HEED_INSTANCE template
#define HEED_SCALAR float
#include "instances.inc"

}  // namespace heed
