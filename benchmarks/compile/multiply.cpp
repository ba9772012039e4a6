// What every program pays that uses Eigen at all.
#include <Eigen/Dense>
#include <iostream>

int main() {
  const Eigen::MatrixXf a = Eigen::MatrixXf::Random(64, 32);
  const Eigen::MatrixXf b = Eigen::MatrixXf::Random(32, 128);
  const Eigen::MatrixXf c = a * b;
  std::cout << c.sum() << "\n";
}
