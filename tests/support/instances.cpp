#include <heed/heed.hpp>
#include <heed/io/registry.hpp>

namespace heed {

HEED_TEMPLATES(template, double)
template class Registry<float>;
template class Registry<double>;

}  // namespace heed
