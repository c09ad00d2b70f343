// Array of fusion units: each has its own slice of the weight buffer, the inputs of a row are shared by its
// units, partial sums go down a column, and below it an output is added up over the steps of its product.
//
// A step enters whole: for each row a bus of inputs, and what to do with it. With HOPS the inputs go from unit
// to unit through registers, without they reach a whole row at once; partial sums always go through one per
// row. Operands wider than a unit come in slices, each with its own signs and shift.
module fusion_array #(parameter ROWS = 2, COLS = 3, HOPS = 1, WORDS = 1024) (
    input clk,
    input reset,
    input [1:0] a_width,
    input [1:0] w_width,
    input load,                     // a word into the weight buffer of a unit
    input [15:0] load_unit,         // row * COLS + column
    input [15:0] load_address,
    input [31:0] load_word,
    input [32*ROWS-1:0] a,          // a step
    input [ROWS-1:0] a_signed,
    input [ROWS-1:0] w_signed,
    input [5*ROWS-1:0] shift,
    input [15:0] address,           // of the step's weights
    input valid,
    input first,                    // of the steps of an output
    input last,
    output [48*COLS-1:0] out,
    output [COLS-1:0] out_valid
);
    localparam TOKEN = 32 + 1 + 1 + 5 + 16 + 3;

    wire [TOKEN-1:0] token_at [0:ROWS*(COLS+1)-1];
    wire signed [47:0] sum_at [0:(ROWS+1)*COLS-1];

    genvar r, c;
    generate
        for (c = 0; c < COLS; c = c + 1) begin : top_of
            assign sum_at[c] = 0;
        end
        for (r = 0; r < ROWS; r = r + 1) begin : row
            delay #(.WIDTH(TOKEN), .STAGES(r)) skew (
                clk, reset,
                {a[32*r +: 32], a_signed[r], w_signed[r], shift[5*r +: 5], address, valid, first, last},
                token_at[r*(COLS+1)]);
            for (c = 0; c < COLS; c = c + 1) begin : col
                reg [31:0] weights [0:WORDS-1];
                reg signed [47:0] sum_out;
                wire [31:0] unit_a;
                wire unit_a_signed, unit_w_signed, unit_valid, unit_first, unit_last;
                wire [4:0] unit_shift;
                wire [15:0] unit_address;
                wire signed [19:0] product;
                wire signed [47:0] placed = product;

                assign {unit_a, unit_a_signed, unit_w_signed, unit_shift, unit_address, unit_valid, unit_first,
                        unit_last} = token_at[r*(COLS+1)+c];
                fusion_unit unit (unit_a, weights[unit_address], a_width, w_width, unit_a_signed, unit_w_signed,
                                  product);
                delay #(.WIDTH(TOKEN), .STAGES(HOPS)) hop (clk, reset, token_at[r*(COLS+1)+c],
                                                           token_at[r*(COLS+1)+c+1]);
                assign sum_at[(r+1)*COLS+c] = sum_out;

                always @(posedge clk) begin
                    if (load && load_unit == r * COLS + c)
                        weights[load_address] <= load_word;
                    if (reset)
                        sum_out <= 0;
                    else if (unit_valid)
                        // The last register of a column is its accumulator.
                        sum_out <= (r == ROWS - 1 && !unit_first ? sum_out : 48'sd0)
                                   + sum_at[r*COLS+c] + (placed <<< unit_shift);
                end

                if (r == ROWS - 1) begin : bottom
                    reg done;
                    always @(posedge clk)
                        done <= !reset && unit_valid && unit_last;
                    assign out[48*c +: 48] = sum_out;
                    assign out_valid[c] = done;
                end
            end
        end
    endgenerate
endmodule
