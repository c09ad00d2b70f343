# Reads C files and prints each line that breaks the layering. Called by layering.sh with -v root=FOLDER/.
#
# Includes are judged by the room of the file and the room of what it includes; calls are judged on the
# text without comments and string literals.

function complain(what) {
    printf "%s:%d: %s\n", file, FNR, what
    broken = 1
}

function room_of(path) {
    if (path ~ /^sim\/model\/backends\//)
        return "backends"
    if (path ~ /^sim\/simacc\.[ch]$/)
        return "api"
    if (path ~ /^sim\/[^\/]+\//) {
        sub(/^sim\//, "", path)
        sub(/\/.*/, "", path)
        return path
    }
    if (path ~ /^quant\//)
        return "quant"
    if (path ~ /^cuda_ref\//)
        return "cuda_ref"
    return "unknown"
}

# The repository path of an #include "name", as the include directories (sim/, root) resolve it.
function path_of(name) {
    if (name ~ /^(quant|cuda_ref)\//)
        return name
    if (name !~ /\// && name != "simacc.h") {
        sub(/[^\/]*$/, name, dir)
        return dir
    }
    return "sim/" name
}

BEGIN {
    # Who may include whom, besides their own room.
    allowed["base"] = ""
    allowed["format"] = "base"
    allowed["input"] = "base format"
    allowed["model"] = "base"
    allowed["backends"] = ""
    allowed["output"] = "model input base"
    allowed["explore"] = "model input format base"
    allowed["api"] = "input model base"
    allowed["cli"] = "api base output explore quant"
    allowed["quant"] = "base format"

    split("sim/model/types.h sim/model/backend.h sim/model/reach.h", list, " ")
    for (i in list)
        also["input", list[i]] = 1
    split("sim/model/backend.h sim/model/memory.h sim/base/err.h", list, " ")
    for (i in list)
        also["backends", list[i]] = 1
    also["explore", "cuda_ref/simacc_cuda.h"] = 1 # the C interface of the CUDA plug-in, and nothing else of it

    # System headers: C11, and POSIX where there is input and output. Anything else is a third-party library.
    split("assert complex ctype errno fenv float inttypes iso646 limits locale math setjmp signal stdalign " \
          "stdarg stdatomic stdbool stddef stdint stdio stdlib stdnoreturn string tgmath threads time uchar " \
          "wchar wctype", list, " ")
    for (i in list)
        c11[list[i] ".h"] = 1
    split("dirent fcntl glob libgen pthread strings sys/ioctl sys/mman sys/resource sys/stat " \
          "sys/time sys/types sys/wait termios unistd", list, " ")
    for (i in list)
        posix[list[i] ".h"] = 1
}

FNR == 1 {
    file = FILENAME
    if (index(file, root) == 1)
        file = substr(file, length(root) + 1)
    room = room_of(file)
    in_comment = 0
    if (room == "unknown" || !(room in allowed))
        complain("a file in no room of the house")
}

/^[ \t]*#[ \t]*include[ \t]*"/ {
    name = $0
    sub(/^[^"]*"/, "", name)
    sub(/".*/, "", name)
    dir = file
    target = path_of(name)
    to = room_of(target)
    if (name ~ /\.\./)
        complain("#include \"" name "\": say the path from sim/ or the root, without '..'")
    else if (to != room && (room, target) in also == 0 && (" " allowed[room] " ") !~ (" " to " "))
        complain("'" room "' may not include \"" name "\" of '" to "'")
    next
}

/^[ \t]*#[ \t]*include[ \t]*</ {
    name = $0
    sub(/^[^<]*</, "", name)
    sub(/>.*/, "", name)
    if (name == "libconfig.h") {
        if (file != "sim/input/cfg.c")
            complain("libconfig belongs in sim/input/cfg.c only")
    } else if (name == "jansson.h") {
        if (file != "sim/base/json.c")
            complain("jansson belongs in sim/base/json.c only")
    } else if (name == "sqlite3.h") {
        if (file != "sim/explore/store.c")
            complain("SQLite belongs in sim/explore/store.c only")
    } else if (name ~ /^gsl\//) {
        if (room != "explore" && room != "quant")
            complain("GSL belongs in sim/explore/ and quant/ only")
    } else if (name == "dlfcn.h") {
        if (file != "sim/explore/gpu_plugin.c")
            complain("the dynamic linker belongs in sim/explore/gpu_plugin.c only")
    } else if (name in posix) {
        if (room == "model" || room == "backends")
            complain("<" name ">: the core is pure, without input or output")
    } else if (!(name in c11)) {
        complain("<" name ">: a third-party header that no file is the home of")
    }
    next
}

# ---- calls --------------------------------------------------------------------------------------------

# The line without comments, strings and character constants.
function code_of(line,    out, i, c, two, quote) {
    out = ""
    quote = ""
    for (i = 1; i <= length(line); i++) {
        c = substr(line, i, 1)
        two = substr(line, i, 2)
        if (in_comment) {
            if (two == "*/") {
                in_comment = 0
                i++
            }
        } else if (quote != "") {
            if (c == "\\")
                i++
            else if (c == quote)
                quote = ""
        } else if (two == "/*") {
            in_comment = 1
            i++
            out = out " "
        } else if (two == "//") {
            break
        } else if (c == "\"" || c == "'") {
            quote = c
            out = out " "
        } else {
            out = out c
        }
    }
    return out
}

# Whether `code` calls one of `names` ("a|b|c").
function calls(code, names) {
    return (" " code) ~ ("[^A-Za-z0-9_.>](" names ")[ \t]*\\(")
}

{
    code = code_of($0)
    if (code !~ /[A-Za-z]/)
        next
    if (room == "cli") {
        if (file != "sim/cli/main.c" && calls(code, "exit|quick_exit|abort"))
            complain("main is the only exit")
        next
    }
    if (calls(code, "exit|_exit|_Exit|quick_exit|abort|assert"))
        complain("the library never exits: return a sim_status")
    if (calls(code, "printf|vprintf|puts|putchar|perror") || (" " code " ") ~ /[^A-Za-z0-9_](stdout|stderr)[^A-Za-z0-9_]/)
        complain("the library never prints")
    if (calls(code, "system|popen|execl|execlp|execv|execvp|fork|posix_spawn|posix_spawnp"))
        complain("the library starts no program: a chart is made from a CSV file by the command line")
    if (calls(code, "strtok|rand|srand|setlocale|setenv|putenv"))
        complain("state that threads would share")
    if (calls(code, "atoi|atol|atof|scanf|sscanf|fscanf") || (room != "base" && calls(code, "strtod|strtof|strtold")))
        complain("numbers are read by sim_parse_int and sim_parse_real, whatever the locale")
    if (file !~ /^sim\/base\/(arena|text)\.c$/ && calls(code, "malloc|calloc|realloc|strdup|strndup|alloca|asprintf"))
        complain("memory comes from a sim_arena or a sim_text, whose allocator a test can make fail")
}

END {
    exit broken
}
