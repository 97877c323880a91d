
_admin-nmt-key() {
  compset -P '*,'
  local -a names=($__admin_nmt_keys $__admin_nmt_sections)
  _describe -t keys key names
}

_admin-nmt-setting() {
  local key=${PREFIX%%=*}
  if compset -P '*='; then
    compset -P '*,'
    compadd -- ${=__admin_nmt_values[$key]}
  else
    _describe -t keys key __admin_nmt_keys -S =
  fi
}

if [[ $funcstack[1] == _admin-nmt ]]; then
  _admin-nmt "$@" # a file of fpath
else
  compdef _admin-nmt admin-nmt
fi
