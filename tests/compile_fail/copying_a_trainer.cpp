// error: error: (use of deleted function|call to deleted constructor)
#include <heed/heed.hpp>

heed::Trainer<float> copied(const heed::Trainer<float>& trainer) { return trainer; }
