#pragma once

#include <heed/io/keras_flat.hpp>

namespace heed::detail {

/// The calls of a file's layers, in an order in which each call comes after the calls whose tensors
/// it reads. It is the file's order if possible, which it is unless layers are shared. Throws
/// `FileError` if there is no such order.
class KerasOrder {
 public:
  explicit KerasOrder(const KerasFlat& file) : file_(file) {
    calls_.resize(file.layers().size());
    for (std::size_t i = 0; i < calls_.size(); ++i) {
      numbers_.emplace(file.layers()[i].name, i);
      for (const KerasCall& call : file.calls(i)) {
        calls_[i].push_back({&call, {}});
        for_each_tensor(
            call, [&](const KerasTensor& tensor) { calls_[i].back().needs.push_back(tensor); });
      }
    }
  }

  /// Calls `use(layer, {name, call}, call)` for each.
  template <class Use>
  void visit(const Use& use) {
    for (std::size_t i = 0; i < calls_.size(); ++i) {
      for (std::size_t k = 0; k < calls_[i].size(); ++k) visit(i, k, use);
    }
  }

 private:
  struct Call {
    const KerasCall* call;
    std::vector<KerasTensor> needs;
    enum { waiting, open, done } turn = waiting;
  };

  /// Without recursion, because a file could make it arbitrarily deep.
  template <class Use>
  void visit(std::size_t layer, std::size_t call, const Use& use) {
    struct Place {
      std::size_t layer, call, next = 0;
    };
    std::vector<Place> path{{layer, call}};
    while (!path.empty()) {
      const auto [i, k, next] = path.back();
      Call& here = calls_[i][k];
      const KerasLayer& user = file_.layers()[i];
      if (here.turn == Call::done) {
        path.pop_back();
      } else if (next == here.needs.size()) {
        use(i, KerasTensor{user.name, k}, *here.call);
        here.turn = Call::done;
      } else {
        here.turn = Call::open;
        const KerasTensor& tensor = here.needs[path.back().next++];
        const auto found = numbers_.find(tensor.layer);
        if (found == numbers_.end()) continue;  // an input of the model
        const auto turn = calls_[found->second][tensor.call].turn;
        user.expect(turn != Call::open, " takes its input from ", in_quotes(tensor.layer),
                    ", which takes its own from it: the layers are in a circle");
        if (turn == Call::waiting) path.push_back({found->second, tensor.call});
      }
    }
  }

  const KerasFlat& file_;
  std::map<std::string, std::size_t, std::less<>> numbers_;
  std::vector<std::vector<Call>> calls_;
};

}  // namespace heed::detail
