#pragma once

#include <heed/tensor/view.hpp>

namespace heed {

namespace detail {

/// Eigen's packet of the widest registers, or a number by itself.
template <class Scalar, bool Wide>
struct PacketOf {
  using type = typename Eigen::internal::packet_traits<Scalar>::type;
};
template <class Scalar>
struct PacketOf<Scalar, false> {
  using type = Scalar;
};

}  // namespace detail

/// Neighbouring numbers on which one instruction works: a packet of Eigen's, or a single number
/// (`Wide` is false). It has the operators and functions that the layers' equations need, so that an
/// equation is written once and runs on whole packets and on the few numbers behind the last one.
template <class Scalar, bool Wide>
struct Lanes {
  using Packet = typename detail::PacketOf<Scalar, Wide>::type;
  static constexpr Index width = Wide ? Eigen::internal::packet_traits<Scalar>::size : 1;

  Packet packet;

  /// Lanes in memory: read as a value, written by assignment.
  struct Reference {
    Scalar* place;
    operator Lanes() const { return load(place); }  // NOLINT(google-explicit-constructor)
    const Reference& operator=(Lanes value) const {
      value.store(place);
      return *this;
    }
    const Reference& operator=(const Reference& other) const { return *this = Lanes(other); }
    const Reference& operator+=(Lanes value) const { return *this = load(place) + value; }
    const Reference& operator*=(Lanes value) const { return *this = load(place) * value; }
  };

  Lanes(Packet value) : packet(value) {}  // NOLINT(google-explicit-constructor)
  /// The same number in every lane.
  Lanes(Scalar value)  // NOLINT(google-explicit-constructor)
      requires(!std::is_same_v<Scalar, typename detail::PacketOf<Scalar, Wide>::type>)
      : packet(Eigen::internal::pset1<Packet>(value)) {}

  static Lanes load(const Scalar* from) { return Eigen::internal::ploadu<Packet>(from); }
  void store(Scalar* to) const { Eigen::internal::pstoreu(to, packet); }

  friend Lanes operator+(Lanes a, Lanes b) { return Eigen::internal::padd(a.packet, b.packet); }
  friend Lanes operator-(Lanes a, Lanes b) { return Eigen::internal::psub(a.packet, b.packet); }
  friend Lanes operator*(Lanes a, Lanes b) { return Eigen::internal::pmul(a.packet, b.packet); }
  friend Lanes operator/(Lanes a, Lanes b) { return Eigen::internal::pdiv(a.packet, b.packet); }
  friend Lanes operator-(Lanes a) { return Eigen::internal::pnegate(a.packet); }
  Lanes& operator+=(Lanes b) { return *this = *this + b; }
  /// `a b + c`, rounded once where the machine can.
  friend Lanes fma(Lanes a, Lanes b, Lanes c) {
    return Eigen::internal::pmadd(a.packet, b.packet, c.packet);
  }

  friend Lanes max(Lanes a, Lanes b) { return Eigen::internal::pmax(a.packet, b.packet); }
  friend Lanes min(Lanes a, Lanes b) { return Eigen::internal::pmin(a.packet, b.packet); }
  friend Lanes abs(Lanes a) { return Eigen::internal::pabs(a.packet); }
  friend Lanes sqrt(Lanes a) { return Eigen::internal::psqrt(a.packet); }
  friend Lanes exp(Lanes a) { return Eigen::internal::pexp(a.packet); }
  friend Lanes square(Lanes a) { return a * a; }

  friend Lanes sigmoid(Lanes a) { return Lanes(Scalar{1}) / (Lanes(Scalar{1}) + exp(-a)); }

  friend Lanes tanh(Lanes a) {
    if constexpr (Eigen::internal::packet_traits<Scalar>::HasTanh) {
      return Eigen::internal::ptanh(a.packet);
    } else {
      return a.each([](Scalar x) { return Eigen::numext::tanh(x); });
    }
  }

  // Eigen has packets of these on some machines only.
  friend Lanes expm1(Lanes a) {
    return a.each([](Scalar x) { return Eigen::numext::expm1(x); });
  }
  friend Lanes log1p(Lanes a) {
    return a.each([](Scalar x) { return Eigen::numext::log1p(x); });
  }

  /// `yes` where `a > 0`, elsewhere `no`.
  friend Lanes where_positive(Lanes a, Lanes yes, Lanes no) {
    const auto zero = Eigen::internal::pset1<Packet>(Scalar{0});
    return Eigen::internal::pselect(Eigen::internal::pcmp_lt(zero, a.packet), yes.packet,
                                    no.packet);
  }

  /// A function of one number, applied to every lane.
  template <class Function>
  Lanes each(const Function& function) const {
    Scalar values[width];
    store(values);
    for (Scalar& value : values) value = function(value);
    return load(values);
  }

  friend Scalar sum_of(Lanes a) { return Eigen::internal::predux(a.packet); }
  friend Scalar max_of(Lanes a) { return Eigen::internal::predux_max(a.packet); }
};

namespace detail {

// Template arguments lose the alignment that a packet's type carries; nothing here depends on it.
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wignored-attributes"

/// Transposes a square of numbers, as many rows as a packet is wide: row r is read at `from(r)`, and
/// column r is written at `to(r)`.
template <class Scalar, class From, class To>
void transpose_square(const From& from, const To& to) {
  using Values = Lanes<Scalar, true>;
  constexpr Index width = Values::width;
  if constexpr (width == 1) {
    from(0).store(to(0));
  } else {
    Eigen::internal::PacketBlock<typename Values::Packet, width> square;
    for (Index r = 0; r < width; ++r) square.packet[r] = from(r).packet;
    Eigen::internal::ptranspose(square);
    for (Index r = 0; r < width; ++r) Values(square.packet[r]).store(to(r));
  }
}

#pragma GCC diagnostic pop

}  // namespace detail

/// A place in a matrix, as `for_lanes` hands it out: `at(m)` are the lanes of a row-major matrix,
/// block or map there, to be read, or to be assigned when `m` is not const.
template <class Scalar, bool Wide>
struct LanesAt {
  using Value = Lanes<Scalar, Wide>;
  Index row;
  Index column;

  /// The same columns of another row.
  LanesAt in_row(Index other) const { return {other, column}; }

  template <class M>
  auto operator()(M& m) const {
    auto* place = m.data() + row * m.outerStride() + column;
    if constexpr (std::is_const_v<std::remove_pointer_t<decltype(place)>>) {
      return Value::load(place);
    } else {
      return typename Value::Reference{place};
    }
  }
};

/// Calls `use(at)` for all elements of matrices of one size, row by row, a packet at a time and the
/// rest of a row one by one: `for_lanes<S>(N, U, [&](auto at) { at(h) = at(o) * tanh(at(c)); })`.
template <class Scalar, class Use>
void for_lanes(Index rows, Index cols, const Use& use) {
  constexpr Index width = Lanes<Scalar, true>::width;
  for (Index row = 0; row < rows; ++row) {
    Index column = 0;
    for (; column + width <= cols; column += width) use(LanesAt<Scalar, true>{row, column});
    for (; column < cols; ++column) use(LanesAt<Scalar, false>{row, column});
  }
}

}  // namespace heed
