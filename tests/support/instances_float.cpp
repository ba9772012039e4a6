#include <heed/heed.hpp>

namespace heed {

HEED_TEMPLATES(template, float)

}  // namespace heed
