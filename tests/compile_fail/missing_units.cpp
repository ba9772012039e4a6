// error: error: (could not convert .* to .heed::Required<|no matching constructor for initialization of .Required<)
#include <heed/layers/lstm.hpp>

int main() { return static_cast<int>(heed::LSTM{.return_sequences = true}.units); }
