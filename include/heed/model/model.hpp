#pragma once

// A model: its making, its weights, and how it runs over samples.

#include <heed/model/model_class.hpp>
#include <heed/model/predict.hpp>
