#pragma once

// Saving and loading: needs nlohmann-json besides Eigen.
#include <heed/version.hpp>

#include <heed/io/checkpoint.hpp>
#include <heed/io/dtype.hpp>
#include <heed/io/file.hpp>
#include <heed/io/json.hpp>
#include <heed/io/model_file.hpp>
#include <heed/io/model_json.hpp>
#include <heed/io/pytorch.hpp>
#include <heed/io/registry.hpp>
#include <heed/io/safetensors.hpp>
#include <heed/io/sample.hpp>
