
# Whether the command line is within the command of these words, and not within one below it.
function __admin_nmt_in
    set -l words (commandline -opc)
    set -e words[1]
    set -l commands
    for i in (seq (count $words))
        if string match -q -- '-*' $words[$i]
            continue
        end
        test $i -gt 1; and test $words[(math $i - 1)] = --distributed; and continue
        set -a commands $words[$i]
    end
    test (count $argv) -eq 0; and test (count $commands) -eq 0; and return 0
    test (count $argv) -gt 0; and test "$commands[1..$(count $argv)]" = "$argv"; or return 1
    # a group alone has commands below it
    test "$argv" = config; and test (count $commands) -gt 1; and return 1
    return 0
end

function __admin_nmt_setting
    if string match -q -- '*=*' (string replace -r '^--set=' '' -- (commandline -ct))
        printf '%s\n' $__admin_nmt_values
    else
        string replace \t =\t -- $__admin_nmt_keys
    end
end

function __admin_nmt_key
    printf '%s\n' $__admin_nmt_keys $__admin_nmt_sections
end
