# What the programs predict, embed and vowels answer to command lines. Run by ctest with PREDICT, EMBED and VOWELS, the
# programs; GOLDEN, the folder of golden files; KERAS, whether they read files of Keras.

# expect(<status> <regular expression> <program> <argument>...): the expression is about output and errors together.
function(expect status expression)
  execute_process(COMMAND ${ARGN} RESULT_VARIABLE actual OUTPUT_VARIABLE output ERROR_VARIABLE output)
  if(NOT actual STREQUAL status OR NOT output MATCHES "${expression}")
    list(JOIN ARGN " " command)
    message(SEND_ERROR "${command}\nreturned ${actual}, expected ${status} and \"${expression}\":\n${output}")
  endif()
endfunction()

set(model "${GOLDEN}/model.safetensors")

# The file of a model carries samples of its own.
expect(0 "^y:\n\\(3, 1\\) \\[\\[0\\.48[0-9]+\\]" "${PREDICT}" "${model}" "${model}")
expect(0 "y:.*lstm:.*attention/weights:\n\\(3, 5, 3\\) " "${PREDICT}" "${model}" "${model}" --activations lstm attention/weights)
expect(0 "LSTM.*StepAttention.*Total params.*y:" "${PREDICT}" "${model}" "${model}" --summary)
expect(0 "^$" "${PREDICT}" "${model}" "${model}" --activations lstm attention/weights --output out.safetensors)
expect(1 "^error: out.safetensors has no tensor \"x\"; it has \"attention/weights\", \"lstm\", \"y\"\n$"
  "${PREDICT}" "${model}" out.safetensors)
if(KERAS)
  expect(0 "^y:\n\\(3, 1\\) " "${PREDICT}" "${GOLDEN}/keras/keras3_index2.h5" "${model}")
  expect(0 "^y:\n\\(3, 1\\) " "${PREDICT}" "${GOLDEN}/keras/keras3_index2.keras" "${model}")
else()
  expect(1 "^error: .*keras3_index2.h5 is a file of Keras, and this program was built with HEED_KERAS=OFF\n$"
    "${PREDICT}" "${GOLDEN}/keras/keras3_index2.h5" "${model}")
endif()

expect(1 "^error: none cannot be read: No such file or directory\n$" "${PREDICT}" none "${model}")
expect(1 "^error: none cannot be read: No such file or directory\n$" "${PREDICT}" "${model}" none)
expect(1 "^error: model \"index2\" has no layer \"nobody\" among \".*\"\n$" "${PREDICT}" "${model}" "${model}" --activations nobody)
expect(1 "^error: model \"index2\": expected x of \\(samples\\) and \\(5, 2\\), got \\(4, 6, 3\\)\n$"
  "${PREDICT}" "${model}" "${GOLDEN}/pytorch/float32.safetensors")
expect(1 "^error: none/out cannot be written: No such file or directory\n$"
  "${PREDICT}" "${model}" "${model}" --output none/out)
expect(2 "^error: .*MODEL.*Usage:" "${PREDICT}")
expect(2 "^error: .*INPUT.*Usage:" "${PREDICT}" "${model}")
expect(2 "^error: .*--colour.*Usage:" "${PREDICT}" "${model}" "${model}" --colour)
expect(0 "Usage:.*--activations" "${PREDICT}" --help)

expect(0 "inline std::span<const std::byte> model_float32\\(\\)" "${EMBED}" "${GOLDEN}/pytorch/float32.safetensors")
expect(0 "namespace a::b {.*> model\\(\\) {.*first\\(2260\\)" "${EMBED}" "${model}" --name a::b::model)
expect(1 "^error: none cannot be read: No such file or directory\n$" "${EMBED}" none)
file(WRITE empty "")
expect(1 "^error: empty is empty\n$" "${EMBED}" empty)
expect(2 "^error: --name: expected a name such as models::index2, got 3d\n.*Usage:" "${EMBED}" "${model}" --name 3d)
expect(2 "^error: .*Usage:" "${EMBED}")

set(samples "@classLabel true a b\n@data\n")
foreach(i RANGE 1 4)
  string(APPEND samples "${i},2,3:0,1,1:a\n-${i}:1:b\n")
endforeach()
file(WRITE two.ts "${samples}")
file(WRITE three.ts "@classLabel true a b c\n@data\n1:2:c\n")
expect(0 "seed 1: [0-9.]+ %\nmean: [0-9.]+ %\npublished.*a: 3 steps.*b: 1 step .*attention.svg and accuracy.csv are in vowels\n$"
  "${VOWELS}" two.ts two.ts --seeds 2 --epochs 1 --out vowels)
expect(0 "^fold 0: [0-9.]+ %\nfold 1: [0-9.]+ %\nmean: [0-9.]+ %\n$" "${VOWELS}" two.ts --folds 2 --seeds 1 --epochs 1)
expect(1 "^error: expected at least 5 samples of each class for as many folds, got 4\n$" "${VOWELS}" two.ts --folds 5)
expect(1 "^error: two.ts and three.ts have different classes or dimensions\n$" "${VOWELS}" two.ts three.ts)
expect(1 "^error: none is not there.*pip download .*aeon" "${VOWELS}" none two.ts)
expect(1 "^error: empty has no line @data: it is not a .ts file\n$" "${VOWELS}" empty two.ts)
expect(2 "^error: TRAIN is required.*Usage:.*pip download .*aeon" "${VOWELS}")
expect(2 "^error: TEST is required.*Usage:" "${VOWELS}" two.ts)
