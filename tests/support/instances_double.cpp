#include <heed/heed.hpp>

namespace heed {

HEED_TEMPLATES(template, double)

}  // namespace heed
