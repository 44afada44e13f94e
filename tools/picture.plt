# The picture of a run of tools/demo, by gnuplot.
#
# Set by the caller: `orders` and `rates`, the files of the run, and `picture`, the file to write.
#   orders    per scene: the number of orders for one guitar, a colour, and the name of the scene
#   rates     per second of the flash sale: the second, and how many tickets were sold, in two blocks: by
#             hand, and with the item hot
set terminal svg noenhanced size 960,340 font 'sans-serif,13' background rgb 'white'
set output picture
set multiplot layout 1,2
set border 3 lc rgb '#666666'
set tics nomirror
set grid ytics lc rgb '#dddddd' lt 1
set style fill solid 0.9 noborder
set boxwidth 0.7
unset key

set title "50 people buy the last guitar at the same moment"
set ylabel 'orders for one guitar'
set yrange [0:*]
set offsets 0, 0, graph 0.12, 0
set xrange [-0.6:2.6]
set xtics scale 0
plot orders using 0:1:2:xtic(3) with boxes lc rgb variable, \
     '' using 0:1:1 with labels offset 0,0.7 font ',15'

stats rates index 0 using 2 nooutput
by_hand = STATS_mean
set title 'a flash sale: 64 buyers of one item'
set ylabel 'tickets sold per second, by hand = 1'
set xlabel 'seconds'
set xrange [0:*]
set xtics auto
set boxwidth 0.8
set key left top Left reverse
plot rates index 0 using 1:($2 / by_hand) with boxes lc rgb '#888888' title 'written by hand', \
     '' index 1 using 1:($2 / by_hand) with boxes lc rgb '#1e8449' title 'with inventory, hot'
