"""perl: hashes, regular expressions, a sort, a fork with a pipe, a command in backquotes, and die."""

from support import need

SCRIPT = r"""
use strict; use warnings;
my %count;
for my $i (1 .. 60000) { my $word = "w" . ($i * 7919 % 4001); $count{$word}++; push @{$count{"list $word"}}, $i if $i % 50 == 0; }
my @words = sort { $count{$b} <=> $count{$a} || $a cmp $b } grep { !/ / } keys %count;
print "$_ $count{$_}\n" for @words[0 .. 19];
my $text = join ",", map { sprintf "%05d", $_ } 1 .. 20000;
my $found = () = $text =~ /(\d)\1/g;
(my $other = $text) =~ s/(\d)(\d)/$2$1/g;
print "$found ", length $other, " ", unpack("%32C*", $other), "\n";
pipe(my $in, my $out) or die;
my $pid = fork // die;
if (!$pid) { close $in; print $out "from the child: ", scalar(@words), "\n"; close $out; exit 5; }
close $out; print <$in>; waitpid $pid, 0; print "child ended with ", $? >> 8, "\n";
print "said: ", `echo from a shell`; system("exit 6;"); print $? >> 8, "\n";
$! = 0; $? = 0;
die "the end\n";
"""


def run(stage):
    perl = need("perl")
    stage.write("script.pl", SCRIPT)
    stage.command(perl, "script.pl", status=255, programs={perl: 2})
