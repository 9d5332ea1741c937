//! Does every module of `src` import only from its own layer and those below it, and never through the root?

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
};

/// The modules that `src/lib.rs` declares, each with the number of its layer. A blank line ends a layer.
fn layers(lib: &str) -> BTreeMap<&str, usize> {
    let mut layer = 0;
    let mut layers = BTreeMap::new();
    for line in lib.lines() {
        let declaration = line.trim_start_matches("pub ").strip_prefix("mod ");
        match declaration.and_then(|rest| rest.strip_suffix(';')) {
            Some(module) => drop(layers.insert(module, layer)),
            None => layer += usize::from(line.is_empty()),
        }
    }
    layers
}

/// Words and single signs, without white space and comments.
fn tokens(source: &str) -> Vec<&str> {
    let lines = source.lines().map(|line| line.split("//").next().unwrap_or_default());
    let is_word = |letter: char| letter.is_alphanumeric() || letter == '_';
    let words = lines.flat_map(|line| line.split_inclusive(move |letter| !is_word(letter)));
    words
        .flat_map(|text| match text.char_indices().next_back() {
            Some((last, sign)) if !is_word(sign) => [&text[..last], &text[last..]],
            _ => [text, ""],
        })
        .filter(|token| !token.trim().is_empty())
        .collect()
}

/// The first names of what follows `crate::`: of `a::b`, or of each path in `{a::b, c::{d, e}}`.
fn first_names<'a>(tree: &[&'a str]) -> Vec<&'a str> {
    let mut names = Vec::new();
    let mut depth = 0;
    for (index, token) in tree.iter().enumerate() {
        match *token {
            "{" => depth += 1,
            "}" => depth -= 1,
            "," => {}
            name if index == 0 || depth == 1 && ["{", ","].contains(&tree[index - 1]) => {
                names.push(name);
            }
            _ => {}
        }
        if depth == 0 {
            break;
        }
    }
    names
}

/// Finds wrong imports in one file, whose module is `depth` levels below the root.
fn faults(layers: &BTreeMap<&str, usize>, module: &str, depth: usize, source: &str) -> Vec<String> {
    let tokens = tokens(source);
    let (mut braces, mut inline) = (0, Vec::new());
    let mut faults = Vec::new();
    for (index, window) in tokens.windows(3).enumerate() {
        match window {
            ["mod", _, "{"] => inline.push(braces),
            ["{", ..] => braces += 1,
            ["}", ..] => {
                braces -= 1;
                inline.pop_if(|outside| *outside == braces);
            }
            _ => {}
        }
        let ["crate" | "super", ":", ":"] = window else { continue };
        let before = &tokens[..index];
        // A path is judged at its start, and documentation may name what is above.
        if before.ends_with(&[":", ":"]) || before.ends_with(&["cfg", "(", "doc", ")", "]", "use"])
        {
            continue;
        }
        let path = &tokens[index..];
        let supers = path.chunks(3).take_while(|step| *step == ["super", ":", ":"]).count();
        let rest = match supers {
            0 => &path[3..],
            _ if supers < depth + inline.len() => continue,
            _ => &path[3 * supers..],
        };
        for name in first_names(rest) {
            match layers.get(name) {
                Some(layer) if *layer <= layers[module] => {}
                Some(_) => faults.push(format!("{module} imports from {name}, which is above it")),
                None => faults.push(format!("{module} imports {name} through the root")),
            }
        }
    }
    faults
}

/// The Rust files of the library.
fn files(directory: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(directory).unwrap().map(|entry| entry.unwrap().path());
    entries
        .filter(|path| !path.ends_with("src/bin") && !path.ends_with("src/lib.rs"))
        .flat_map(|path| if path.is_dir() { files(&path) } else { vec![path] })
        .collect()
}

#[test]
fn nothing_points_upward() {
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let lib = fs::read_to_string(source.join("lib.rs")).unwrap();
    let layers = layers(&lib);
    assert!(layers.len() > 15, "{layers:?}");
    let files = files(&source);
    assert!(files.len() > 50, "{files:?}");
    let faults: Vec<_> = files
        .iter()
        .flat_map(|file| {
            let path = file.strip_prefix(&source).unwrap().with_extension("");
            let module = path.iter().next().unwrap().to_str().unwrap();
            faults(&layers, module, path.iter().count(), &fs::read_to_string(file).unwrap())
        })
        .collect();
    assert!(faults.is_empty(), "{faults:#?}");
}

#[test]
fn faults_are_found() {
    let layers = layers("mod low;\n\npub mod middle;\nmod beside;\n\n#[cfg(x)]\nmod high;\n");
    let found = |depth, source| faults(&layers, "middle", depth, source);
    for right in [
        "use crate::{low::{High, Low}, beside::Beside};",
        "use super::high::Sibling; // crate::high",
        "mod inside { use super::Here; }",
        "fn f() -> crate::low::Low { pub(crate) }",
        "#[cfg(doc)]\nuse crate::high::High;",
    ] {
        assert_eq!(found(2, right), [""; 0], "{right}");
    }
    for wrong in [
        "use crate::high::High;",
        "use crate::{\n    low::{Low, Lower},\n    high::High,\n};",
        "use super::super::high::High;",
        "fn f() { crate::high::high(); }",
        "mod inside { use super::super::super::high::High; } use crate::low::Low;",
    ] {
        assert_eq!(found(2, wrong), ["middle imports from high, which is above it"], "{wrong}");
    }
    assert_eq!(found(1, "use super::high::High;").len(), 1);
    assert_eq!(found(1, "mod inside { use super::high::Sibling; }").len(), 0);
    assert_eq!(found(1, "use crate::Error;"), ["middle imports Error through the root"]);
    assert_eq!(found(1, "use crate::{Error, low, Signature};").len(), 2);
}
