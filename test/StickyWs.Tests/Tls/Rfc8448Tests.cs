using StickyWs.Tls;

namespace StickyWs.Tests.Tls;

/// <summary>RFC 8448, section 3 (Simple 1-RTT Handshake), seen from the server.</summary>
public sealed unsafe class Rfc8448Tests : TlsTest
{
    private static readonly byte[] ClientSecret = Convert.FromHexString("9e40646ce79a7f9dc05af8889bce6552875afa0b06df0087f792ebb7c17504a5");
    private static readonly byte[] ServerSecret = Convert.FromHexString("a11af9f05531f856ad47116b45a950328204b4f44bfb6b3a4b4f1f3fcb631643");

    private static readonly byte[] ClientData = Convert.FromHexString(
        "1703030043a23f7054b62c94d0affafe8228ba55cbefacea42f914aa66bcab3f2b9819a8a5b46b395bd54a9a20441e2b62974e1f5a6292a2977014bd1e3deae63aeebb21694915e4");

    private static readonly byte[] ServerData = Convert.FromHexString(
        "17030300432e937e11ef4ac740e538ad36005fc4a46932fc3225d05f82aa1b36e30efaf97d90e6dffc602dcb501a59a8fcc49c4bf2e5f0a21c0047c2abf332540dd032e167c2955d");

    private static readonly byte[] ClientClose = Convert.FromHexString("1703030013c9872760655666b74d7ff1153efd6db6d0b0e3");
    private static readonly byte[] ServerClose = Convert.FromHexString("1703030013b58fd67166ebf599d24720cfbe7efa7a8864a9");

    private static readonly byte[] Payload = [.. Enumerable.Range(0, 50).Select(i => (byte)i)];

    [Fact]
    public void Keys_FromTheSecrets_AreThoseOfTheTrace()
    {
        var keys = Start().Keys;

        Assert.Equal("17422DDA596ED5D9ACD890E3C63F5051", Convert.ToHexString(new ReadOnlySpan<byte>(keys->Read.Key, 16)));
        Assert.Equal("5B78923DEE08579033E523D9", Convert.ToHexString(new ReadOnlySpan<byte>(keys->Read.Iv, 12)));
        Assert.Equal("9F02283B6C9C07EFC26BB9F2AC92E356", Convert.ToHexString(new ReadOnlySpan<byte>(keys->Write.Key, 16)));
        Assert.Equal("CF782B88DD83549AADF1E984", Convert.ToHexString(new ReadOnlySpan<byte>(keys->Write.Iv, 12)));
    }

    [Fact]
    public void Records_OfTheClient_AreOpened()
    {
        var end = Start();

        Assert.Equal(Payload, end.Receive(ClientData).Plain.ToArray());
        Assert.Equal(TlsStatus.PeerClosed, end.Receive(ClientClose).Status);
    }

    [Fact]
    public void Records_OfTheServer_AreTheSame()
    {
        var end = Start();
        end.Keys->Write.Sequence = 1; // Its ticket was the first.

        Assert.Equal(ServerData, end.Seal(Payload).ToArray());
        Assert.Equal(ServerClose, end.Close().ToArray());
    }

    private TlsEnd Start()
        => Keep(TlsEnd.Resume(Slab, RecordSuite.Aes128Gcm, ClientSecret, ServerSecret, TlsServerSettings.DefaultRecordsPerKey, RecordLayer.MostContent));
}
