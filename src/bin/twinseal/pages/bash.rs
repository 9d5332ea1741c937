//! Completions for bash: names stay whole, and where nothing is known nothing is offered.

/// What is replaced in the script of `clap_complete`, and with what.
const REPLACED: [(&str, &str); 5] = [
    // Names hold spaces and patterns: one name a line, and no expansion.
    (
        r#"COMPREPLY=($(compgen -f "${cur}"))"#,
        r#"local path; while IFS= read -r path; do COMPREPLY+=("${path}"); done < <(compgen -f -- "${cur}")"#,
    ),
    // Any text is right: not even the names of files.
    (r#"COMPREPLY=("${cur}")"#, "COMPREPLY=()"),
    ("compopt -o nospace", "compopt +o bashdefault +o default"),
    // Where there may be a path, options are offered only behind a dash.
    ("|| ${COMP_CWORD} -eq 2 ]]", "]]"),
    (
        "\n            COMPREPLY=( $(compgen -W \"${opts}\" -- \"${cur}\") )",
        "\n            COMPREPLY=( $(compgen -W \"${opts}\" -X '-*' -- \"${cur}\") )",
    ),
];

pub(super) fn mended(script: &str) -> String {
    REPLACED
        .iter()
        .fold(script.to_string(), |script, (found, better)| script.replace(found, better))
}
