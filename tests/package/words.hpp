// What headers of others define, in programs that heed is to be a part of. Most are words that stand alone; those with
// arguments only matter before a bracket.
// clang-format off

// windows.h and its companions
#define min(a, b) (((a) < (b)) ? (a) : (b))
#define max(a, b) (((a) > (b)) ? (a) : (b))
#define small char
#define near
#define far
#define hyper long long
#define interface struct
#define pascal
#define cdecl
#define IN
#define OUT
#define OPTIONAL
#define STRICT 1
#define CONST const
#define VOID void
#define TRUE 1
#define FALSE 0
#define ERROR 0
#define NO_ERROR 0
#define DELETE 0x00010000L
#define TEXT(text) L##text
#define CreateFile CreateFileW
#define DeleteFile DeleteFileW
#define CopyFile CopyFileW
#define MoveFile MoveFileW
#define GetObject GetObjectW
#define GetMessage GetMessageW
#define SendMessage SendMessageW
#define LoadImage LoadImageW
#define DrawText DrawTextW
#define Yield()

// Unreal, and Apple's AssertMacros.h
#define check(assertion) do { if (!(assertion)) __builtin_trap(); } while (false)
#define checkf(assertion, ...) check(assertion)
#define verify(assertion) check(assertion)
#define ensure(assertion) (assertion)
#define require(assertion, label) do { if (!(assertion)) goto label; } while (false)
#define require_action(assertion, label, action) require(assertion, label)
#define PI (3.1415926535897932f)
#define FORCEINLINE inline
#define nil nullptr
#define YES true
#define NO false

// Qt
#define slots
#define signals public
#define emit
#define foreach(variable, container) for (variable : container)
#define forever for (;;)

// X11
#define None 0L
#define Bool int
#define Status int
#define Success 0
#define True 1
#define False 0
#define Always 2
#define Complex 0

// glibc, and compilers that are not asked for the standard alone
#define major(device) (device)
#define minor(device) (device)
#define unix 1
#define linux 1
#define likely(condition) (condition)
#define unlikely(condition) (condition)
