#pragma once

#include <cmath>

#include <heed/tensor/view.hpp>

namespace heed {

namespace detail {

// Template arguments drop the alignment attribute of a packet type; this code does not depend on
// it.
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wignored-attributes"

/// Eigen's widest packet, halved `Halvings` times; the narrowest packet is its own half.
template <class Scalar, int Halvings>
struct HalvedPacket {
  using Wider = typename HalvedPacket<Scalar, Halvings - 1>::type;
  using type = typename Eigen::internal::unpacket_traits<Wider>::half;
  static constexpr Index width = Eigen::internal::unpacket_traits<type>::size;
};
template <class Scalar>
struct HalvedPacket<Scalar, 0> {
  using type = typename Eigen::internal::packet_traits<Scalar>::type;
  static constexpr Index width = Eigen::internal::unpacket_traits<type>::size;
};

#pragma GCC diagnostic pop

/// The packet of `Width` numbers; for 1, a plain number.
template <class Scalar, Index Width, int Halvings = 0>
struct PacketOf : PacketOf<Scalar, Width, Halvings + 1> {};
template <class Scalar, Index Width, int Halvings>
  requires(Width > 1 && HalvedPacket<Scalar, Halvings>::width == Width)
struct PacketOf<Scalar, Width, Halvings> {
  using type = typename HalvedPacket<Scalar, Halvings>::type;
  /// The width of the next narrower packet; 1 when there is none.
  static constexpr Index half = HalvedPacket<Scalar, Halvings + 1>::width < Width
                                    ? HalvedPacket<Scalar, Halvings + 1>::width
                                    : 1;
};
template <class Scalar, int Halvings>
struct PacketOf<Scalar, 1, Halvings> {
  using type = Scalar;
};

}  // namespace detail

/// The number of values in the widest packet.
template <class Scalar>
inline constexpr Index widest = detail::HalvedPacket<Scalar, 0>::width;

/// Adjacent numbers that are processed together: an Eigen packet or a single number. It has the
/// operators and functions that the equations of layers need, so that an equation is written once
/// and runs both on whole packets and on the remaining numbers.
template <class Scalar, Index Width = widest<Scalar>>
struct Lanes {
  using Packet = typename detail::PacketOf<Scalar, Width>::type;
  static constexpr Index width = Width;

  Packet packet;

  /// A reference to lanes in memory: converts to a value and can be assigned.
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
      requires(Width > 1)
      : packet(Eigen::internal::pset1<Packet>(value)) {}

  static Lanes load(const Scalar* from) { return Eigen::internal::ploadu<Packet>(from); }
  void store(Scalar* to) const { Eigen::internal::pstoreu(to, packet); }

  friend Lanes operator+(Lanes a) { return a; }
  friend Lanes operator+(Lanes a, Lanes b) { return Eigen::internal::padd(a.packet, b.packet); }
  friend Lanes operator-(Lanes a, Lanes b) { return Eigen::internal::psub(a.packet, b.packet); }
  friend Lanes operator*(Lanes a, Lanes b) { return Eigen::internal::pmul(a.packet, b.packet); }
  friend Lanes operator/(Lanes a, Lanes b) { return Eigen::internal::pdiv(a.packet, b.packet); }
  friend Lanes operator-(Lanes a) { return Eigen::internal::pnegate(a.packet); }
  Lanes& operator+=(Lanes b) { return *this = *this + b; }
  /// `a b + c`, with a single rounding if the processor supports it.
  friend Lanes fma(Lanes a, Lanes b, Lanes c) {
    return Eigen::internal::pmadd(a.packet, b.packet, c.packet);
  }

  friend Lanes larger(Lanes a, Lanes b) { return Eigen::internal::pmax(a.packet, b.packet); }
  friend Lanes smaller(Lanes a, Lanes b) { return Eigen::internal::pmin(a.packet, b.packet); }
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

  // Eigen has packet versions of these only on some processors.
  friend Lanes expm1(Lanes a) {
    return a.each([](Scalar x) { return Eigen::numext::expm1(x); });
  }
  friend Lanes log1p(Lanes a) {
    return a.each([](Scalar x) { return Eigen::numext::log1p(x); });
  }
  friend Lanes erfc(Lanes a) {
    return a.each([](Scalar x) {
      using std::erfc;
      return erfc(x);
    });
  }
  /// `log(1 + exp(a))`, which does not overflow
  friend Lanes softplus(Lanes a) { return larger(a, Scalar{0}) + log1p(exp(-abs(a))); }

  /// `yes` where `a > 0`, otherwise `no`.
  friend Lanes where_positive(Lanes a, Lanes yes, Lanes no) {
    const auto zero = Eigen::internal::pset1<Packet>(Scalar{0});
    return Eigen::internal::pselect(Eigen::internal::pcmp_lt(zero, a.packet), yes.packet,
                                    no.packet);
  }

  /// Applies a function of one number to every lane.
  template <class Function>
  Lanes each(const Function& function) const {
    Scalar values[std::size_t{width}];
    store(values);
    for (Scalar& value : values) value = function(value);
    return load(values);
  }

  friend Scalar sum_of(Lanes a) { return Eigen::internal::predux(a.packet); }
  friend Scalar max_of(Lanes a) { return Eigen::internal::predux_max(a.packet); }
};

namespace detail {

// Template arguments drop the alignment attribute of a packet type; this code does not depend on
// it.
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wignored-attributes"

/// Transposes a square block with as many rows as a packet is wide: row r is read from `from(r)`,
/// and column r is written to `to(r)`.
template <class Scalar, class From, class To>
void transpose_square(const From& from, const To& to) {
  using Values = Lanes<Scalar>;
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

/// A position in a matrix, which `for_lanes` passes to its function. `at(m)` are the lanes of a
/// row-major matrix, block or map at this position; they can be assigned if `m` is not const.
template <class Scalar, Index Width>
struct LanesAt {
  using Value = Lanes<Scalar, Width>;
  Index row;
  Index column;

  /// The same columns in another row.
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

namespace detail {

template <class Scalar, Index Width, class Use>
[[gnu::always_inline]] inline void for_lanes_of_row(Index row, Index column, Index cols,
                                                    const Use& use) {
  for (; column + Width <= cols; column += Width) use(LanesAt<Scalar, Width>{row, column});
  if constexpr (Width > 1) {
    if (column < cols) {
      for_lanes_of_row<Scalar, PacketOf<Scalar, Width>::half>(row, column, cols, use);
    }
  }
}

}  // namespace detail

/// Calls `use(at)` for all elements of matrices of the same size, row by row. It uses full packets,
/// and narrower ones for the rest of a row: `for_lanes<S>(N, U, [&](auto at) { at(h) = at(o) *
/// tanh(at(c)); })`.
template <class Scalar, class Use>
[[gnu::always_inline]] inline void for_lanes(Index rows, Index cols, const Use& use) {
  for (Index row = 0; row < rows; ++row) {
    detail::for_lanes_of_row<Scalar, widest<Scalar>>(row, 0, cols, use);
  }
}

}  // namespace heed
