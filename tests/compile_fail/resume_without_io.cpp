// error: (incomplete type .*CheckpointFile<float>|undefined template .*CheckpointFile<float>|CheckpointFile<float>.* incomplete type)
#include <heed/heed.hpp>

heed::ResumeFrom<float> resume_from = "run.checkpoint";
