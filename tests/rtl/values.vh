// Operands of a fold, any number of them without a memory: small signed integers, never zero, so that a lost
// value shows in its sum.
function signed [7:0] value(input integer fold, input integer i, input integer j, input integer salt);
    reg [31:0] x;
    begin
        x = (fold * 32'd73856093) ^ (i * 32'd19349663) ^ (j * 32'd83492791) ^ (salt * 32'd2654435761);
        x = (x ^ (x >> 13)) * 32'd1274126177;
        x = x ^ (x >> 16);
        value = x[6:0] - 64;
        if (value == 0)
            value = 65;
    end
endfunction
