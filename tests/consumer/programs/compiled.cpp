// The same with heed's templates from heed::compiled.
#ifndef HEED_COMPILED
#error heed::compiled does not say that it has the templates
#endif

#include "core.cpp"
