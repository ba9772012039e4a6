// Loses memory, so that a sanitizer can show that it would see it: heed's own tests lose none.

#include <cstdlib>

namespace {

void* volatile kept = nullptr;

}  // namespace

int main() {
  kept = std::malloc(100);
  kept = nullptr;
}
