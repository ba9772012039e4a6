// heed's templates for float. Files that are compiled with HEED_COMPILED, and otherwise as this one, use these instead of
// compiling their own.

#include <heed/heed.hpp>

namespace heed {

HEED_TEMPLATES(template, float)

template <Index, int>
void detail::compiled_for() {}
template void detail::compiled_for<widest<float>, EIGEN_MAX_ALIGN_BYTES>();

}  // namespace heed
