using System.Net;
using StickyWs.Kernel;

namespace StickyWs.Tests.Kernel;

public sealed class RawAddressTests
{
    [Theory]
    [InlineData("127.0.0.1:80", 2, 16u)]
    [InlineData("255.255.255.255:65535", 2, 16u)]
    [InlineData("0.0.0.0:0", 2, 16u)]
    [InlineData("[::1]:443", 10, 28u)]
    [InlineData("[::]:1", 10, 28u)]
    [InlineData("[2001:db8:1:2:3:4:5:6]:8080", 10, 28u)]
    [InlineData("[fe80::1%7]:8080", 10, 28u)]
    [InlineData("[::ffff:10.1.2.3]:5000", 10, 28u)]
    public void ToEndPoint_OfAnEndPoint_IsTheSame(string text, int family, uint length)
    {
        var endPoint = IPEndPoint.Parse(text);

        var address = new RawAddress(endPoint);

        Assert.Equal(endPoint, address.ToEndPoint());
        Assert.Equal(endPoint.Address, address.Address);
        Assert.Equal(endPoint.Port, address.Port);
        Assert.Equal(family, address.Family);
        Assert.Equal(length, address.Length);
        Assert.Equal(endPoint.ToString(), address.ToString());
    }

    [Fact]
    public void ScopeId_IsKept()
    {
        var endPoint = new IPEndPoint(IPAddress.Parse("fe80::1%3"), 1);

        Assert.Equal(3, new RawAddress(endPoint).Address.ScopeId);
    }

    [Fact]
    public void MappedAddress_StaysMapped() => Assert.True(new RawAddress(IPEndPoint.Parse("[::ffff:10.1.2.3]:1")).Address.IsIPv4MappedToIPv6);

    // What .NET itself hands to the kernel.
    [Theory]
    [InlineData("10.1.2.3:258")]
    [InlineData("[2001:db8::2%0]:258")]
    [InlineData("[fe80::1%7]:258")]
    public void Bytes_AreThoseOfTheRuntimesOwn(string text)
    {
        var endPoint = IPEndPoint.Parse(text);
        var theirs = endPoint.Serialize();
        var address = new RawAddress(endPoint);

        var ours = System.Runtime.InteropServices.MemoryMarshal.AsBytes(new ReadOnlySpan<RawAddress>(ref address))[..(int)address.Length];

        Assert.Equal(theirs.Buffer.Span[..theirs.Size], ours);
    }
}
