using StickyWs.Tls;

namespace StickyWs.Tests.Tls;

public sealed class TlsSupportTests
{
    // Otherwise all other tests of the room would be skipped in silence.
    [Fact]
    public void FirstRefusal_WithOpenSsl3_IsNull()
    {
        Assert.SkipUnless(TlsLibrary.Refusal is null, TlsLibrary.Refusal ?? "");

        Assert.Null(TlsSupport.FirstRefusal());
        Assert.Same(TlsSupport.FirstRefusal(), TlsSupport.FirstRefusal());
    }
}
