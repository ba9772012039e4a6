// error: error: (static assertion failed: |.*")a heed layer needs .std::vector<Weight> weights
#include <heed/model/any_layer.hpp>

struct Half {
  static constexpr std::string_view type = "Half";
  static constexpr auto fields() { return std::tuple{}; }

  template <class S>
  struct Cache {
    heed::Tensor<S> kept;
  };

  heed::Shape output_shape(const heed::Shape& x) const { return x; }
  std::vector<heed::Weight> weight(const heed::Shape& x) const { return {{"kernel", x}}; }

  template <class S>
  void forward(const heed::Forward<S>& args, Cache<S>&) const {
    args.y[0].array() = args.x[0].array() / 2;
  }
  template <class S>
  void backward(const heed::Backward<S>& args, Cache<S>&) const {
    if (args.dx[0]) args.dx[0].array() = args.dy[0].array() / 2;
  }
};

int main() { return heed::AnyLayer<float>(Half{}).only_reshapes() ? 1 : 0; }
