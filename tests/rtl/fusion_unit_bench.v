// Runs operands through a fusion unit.
//   +cases=FILE   one case a line: a_width w_width a_signed w_signed a w (the last two in hexadecimal)
// Prints the sum of each.
module fusion_unit_bench;
    reg [31:0] a, w;
    reg [1:0] a_width, w_width;
    reg a_signed, w_signed;
    wire signed [19:0] sum;
    fusion_unit unit (a, w, a_width, w_width, a_signed, w_signed, sum);

    reg [8*1024-1:0] name;
    integer file;

    initial begin
        if (!$value$plusargs("cases=%s", name)) begin
            $display("no +cases=FILE");
            $finish;
        end
        file = $fopen(name, "r");
        while ($fscanf(file, "%d %d %d %d %h %h", a_width, w_width, a_signed, w_signed, a, w) == 6) begin
            #1 $display("%0d", sum);
        end
        $finish;
    end
endmodule
