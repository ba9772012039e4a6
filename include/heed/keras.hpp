#pragma once

// Files of Keras, in and out: needs nlohmann-json besides Eigen, and no HDF5 library.
#include <heed/version.hpp>

#include <heed/io/keras_reader.hpp>
#include <heed/io/keras_writer.hpp>
