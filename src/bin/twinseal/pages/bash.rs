//! Mends the completion script for bash: names stay whole, and free text is not completed.

/// The changes to the script of `clap_complete`.
const REPLACED: [(&str, &str); 6] = [
    // Names may contain spaces and patterns: one name per line, without expansion.
    (
        r#"COMPREPLY=($(compgen -f "${cur}"))"#,
        r#"local path; while IFS= read -r path; do COMPREPLY+=("${path}"); done < <(compgen -f -- "${cur}")"#,
    ),
    // Free text: not even names of files are offered.
    (r#"COMPREPLY=("${cur}")"#, "COMPREPLY=()"),
    ("compopt -o nospace", "compopt +o bashdefault +o default"),
    // Where a path may stand, options are offered only after a dash.
    ("|| ${COMP_CWORD} -eq 2 ]]", "]]"),
    ("|| ${COMP_CWORD} -eq 3 ]]", "]]"),
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
