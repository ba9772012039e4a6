import pathlib
import re

from conan import ConanFile
from conan.tools.build import check_min_cppstd
from conan.tools.cmake import CMake, CMakeToolchain, cmake_layout
from conan.tools.files import copy, load

required_conan_version = ">=2.0"


class HeedRecipe(ConanFile):
    name = "heed"
    description = "Recurrent networks with attention: a header-only C++20 library on Eigen"
    license = "MIT"
    topics = ("neural-network", "lstm", "attention", "machine-learning", "header-only")

    package_type = "header-library"
    settings = "os", "arch", "compiler", "build_type"
    options = {"with_io": [True, False], "with_zlib": [True, False]}
    default_options = {"with_io": True, "with_zlib": False}
    options_description = {
        "with_io": "heed::io and heed::keras, which need nlohmann-json",
        "with_zlib": "compressed files of Keras, which need zlib",
    }
    no_copy_source = True

    @property
    def _checkout(self):
        """The folder of heed, in which this recipe stands."""
        return pathlib.Path(self.recipe_folder).parent.parent

    def set_version(self):
        header = load(self, self._checkout / "include" / "heed" / "version.hpp")
        self.version = ".".join(re.findall(r"#define HEED_VERSION_(?:MAJOR|MINOR|PATCH) (\d+)", header))

    def export_sources(self):
        for pattern in ("CMakeLists.txt", "LICENSE", "cmake/*", "include/*"):
            copy(self, pattern, self._checkout, self.export_sources_folder)

    def layout(self):
        cmake_layout(self)

    def requirements(self):
        # The headers of both are in heed's headers.
        self.requires("eigen/[>=3.4.0 <6]", transitive_headers=True)
        if self.options.with_io:
            self.requires("nlohmann_json/[>=3.10 <4]", transitive_headers=True)
            if self.options.with_zlib:
                self.requires("zlib/[>=1.2 <2]", transitive_headers=True)

    def validate(self):
        check_min_cppstd(self, 20)

    def generate(self):
        toolchain = CMakeToolchain(self)
        for name in ("TESTS", "EXAMPLES", "BENCHMARKS", "FETCH"):
            toolchain.cache_variables[f"HEED_{name}"] = False
        toolchain.cache_variables["HEED_INSTALL"] = True
        toolchain.cache_variables["HEED_IO"] = bool(self.options.with_io)
        toolchain.cache_variables["HEED_KERAS"] = "ON" if self.options.with_io else "OFF"
        has_zlib = self.options.with_io and self.options.with_zlib
        toolchain.cache_variables["HEED_ZLIB"] = "ON" if has_zlib else "OFF"
        toolchain.generate()

    def package(self):
        copy(self, "LICENSE", self.source_folder, pathlib.Path(self.package_folder) / "licenses")
        cmake = CMake(self)
        cmake.configure()
        cmake.install()

    def package_id(self):
        # Headers are the same for all compilers, but not with and without the option.
        self.info.settings.clear()

    def package_info(self):
        # CMake finds heed's own heedConfig.cmake, with heed::heed, heed::io and heed::keras, and no copy by Conan.
        self.cpp_info.set_property("cmake_find_mode", "none")
        self.cpp_info.builddirs = ["share/cmake/heed"]
        self.cpp_info.bindirs = []
        self.cpp_info.libdirs = []
        if self.settings.get_safe("os") in ("Linux", "FreeBSD"):
            self.cpp_info.system_libs = ["pthread"]
