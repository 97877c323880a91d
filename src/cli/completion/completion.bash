_admin_nmt() {
  local -a words=()
  local word command='' option='' rest='' count=0 i
  # Bash parts words at = and :, as the program does not.
  for ((i = 1; i <= COMP_CWORD; i++)); do
    word=${COMP_WORDS[i]}
    if ((i > 1 && ${#words[@]} > 0)) && { [[ $word == [=:]* ]] || [[ ${words[-1]} == *[=:] && $word != --* ]]; }; then
      words[-1]+=$word
    else
      words+=("$word")
    fi
  done
  local current=${words[-1]}
  unset 'words[-1]'
  for word in "${words[@]}"; do
    if [[ $option && ( $rest == 1 || $word != -* ) ]]; then
      [[ $rest == 1 ]] && option=''
    elif [[ $word == -* ]]; then
      option='' rest=${__admin_nmt[$command$'\t'$word]-}
      [[ $rest ]] && option=$word rest=${rest%% *}
    elif [[ " ${__admin_nmt[$command$'\t'commands]-} " == *" $word "* ]]; then
      option='' command+=${command:+ }$word
    else
      option='' count=$((count + 1))
    fi
  done
  local start='' values
  if [[ $option && ( $rest == 1 || $current != -* ) ]]; then
    values=${__admin_nmt[$command$'\t'$option]#* }
  elif [[ $current == --*=* ]]; then
    start=${current%%=*}
    values=${__admin_nmt[$command$'\t'$start]-}
    values=${values#* } start+='='
  elif [[ $current == -* ]]; then
    values=${__admin_nmt[$command$'\t'options]}
  else
    values=${__admin_nmt[$command$'\t'commands]}
    values=${values:-${__admin_nmt[$command$'\t'"<$count>"]-${__admin_nmt[$command$'\t''<*>']-}}}
  fi
  __admin_nmt_reply "$start" "${current#"$start"}" "$values"
}

# What may follow, of values that begin as the word does. $1 stands before the word and stays.
__admin_nmt_reply() {
  local start=$1 current=$2 values=$3 end=''
  COMPREPLY=()
  case $values in
    @file | @folder)
      compopt -o filenames 2> /dev/null
      [[ $values == @file ]] && end=-f || end=-d
      mapfile -t COMPREPLY < <(compgen $end -- "$current")
      return
      ;;
    @key) values="$__admin_nmt_keys $__admin_nmt_sections" ;;
    @setting)
      if [[ $current == *=* ]]; then
        start+=${current%%=*}=
        values=${__admin_nmt_values[${current%%=*}]-}
        current=${current#*=}
      else
        values=$__admin_nmt_keys end='='
        compopt -o nospace 2> /dev/null
      fi
      ;;
  esac
  if [[ $current == *,* ]]; then # a list
    start+=${current%,*},
    current=${current##*,}
  fi
  # Readline has the part behind the last = or : alone.
  [[ $COMP_WORDBREAKS == *=* ]] && start=${start##*=}
  mapfile -t COMPREPLY < <(compgen -P "$start" -S "$end" -W "$values" -- "$current")
}

complete -F _admin_nmt admin-nmt
