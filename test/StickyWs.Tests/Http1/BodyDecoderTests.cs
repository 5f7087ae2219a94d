using System.Buffers;
using System.Text;
using StickyWs.Http1;

namespace StickyWs.Tests.Http1;

public sealed class BodyDecoderTests
{
    [Theory]
    [InlineData("5\r\r\nhello\r\n0\r\n\r\n")]
    [InlineData("5;a\rb\r\nhello\r\n0\r\n\r\n")]
    [InlineData("5\r\nhello\r\n0\r\nTrailer: a\rb\r\n\r\n")]
    public void Decode_BareCarriageReturnInFraming_Refuses(string body)
    {
        var decoder = new BodyDecoder(BodyFraming.Chunked, 0);

        Assert.Throws<IOException>(() => decoder.Decode(Encoding.ASCII.GetBytes(body), new ArrayBufferWriter<byte>()));
    }
}
