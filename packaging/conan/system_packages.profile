# heed with the Eigen and nlohmann-json that the system has, which Conan then neither fetches nor builds. The versions are
# those of Debian 12.
#
#     conan create packaging/conan --profile:all packaging/conan/system_packages.profile
include(default)

[settings]
compiler.cppstd=20

[platform_requires]
eigen/3.4.0
nlohmann_json/3.11.2
