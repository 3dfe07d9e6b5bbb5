/**
 * What a shell has to read. The scripts know nothing themselves: they hand the words to the hidden `__complete` command
 * of the program that is being completed, so they never grow stale.
 */

const bash = `# ashlar: completion for bash. Read it with: source <(ashlar completion bash)
_ashlar() {
  local word
  COMPREPLY=()
  while IFS=$'\\t' read -r word _; do
    COMPREPLY+=("$(printf '%q' "$word")")
  done < <("\${COMP_WORDS[0]}" __complete -- "\${COMP_WORDS[@]:1:COMP_CWORD}" 2>/dev/null)
}
complete -o default -F _ashlar ashlar
`;

const zsh = `#compdef ashlar
# ashlar: completion for zsh. Read it after compinit with: source <(ashlar completion zsh)
_ashlar() {
  local word description
  local -a candidates
  while IFS=$'\\t' read -r word description; do
    candidates+=("\${word//:/\\\\:}:\${description}")
  done < <("\${words[1]}" __complete -- "\${(@Q)words[2,CURRENT]}" 2>/dev/null)
  if (( \${#candidates} )); then
    _describe -t ashlar ashlar candidates
  else
    _files
  fi
}
# Read by source, or found by compinit in a file _ashlar on fpath: then this is the first call itself.
if [[ \${funcstack[1]} == _ashlar ]]; then _ashlar "$@"; else compdef _ashlar ashlar; fi
`;

const fish = `# ashlar: completion for fish. Read it with: ashlar completion fish | source
function __ashlar_complete
    set -l words (commandline --current-process --tokenize --cut-at-cursor)
    set -l current (commandline --current-token --cut-at-cursor)
    $words[1] __complete -- $words[2..-1] "$current" 2>/dev/null
end
complete --command ashlar --no-files --arguments '(__ashlar_complete)'
for option in connector-json config-file state-dir
    complete --command ashlar --long-option $option --require-parameter --force-files
end
`;

export const scripts = { bash, zsh, fish } as const;
