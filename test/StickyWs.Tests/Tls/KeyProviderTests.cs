using System.Runtime.InteropServices;
using System.Text;
using StickyWs.Tls;

namespace StickyWs.Tests.Tls;

/// <summary>The key schedule of TLS 1.3 as a provider of OpenSSL's, beside the one of OpenSSL's default provider.</summary>
public sealed unsafe partial class KeyProviderTests : TlsTest
{
    private const int ExtractAndExpand = 0;
    private const int ExtractOnly = 1;
    private const int ExpandOnly = 2;

    private const string Library = TlsLibrary.Name;

    public static TheoryData<string, int> Hashes => new() { { "SHA2-256", 32 }, { "SHA256", 32 }, { "SHA2-384", 48 }, { "SHA384", 48 } };

    [Theory]
    [MemberData(nameof(Hashes))]
    public void Expansion_IsThatOfTheDefaultProvider(string digest, int hash)
    {
        var random = new Random(20261201);
        for (var round = 0; round < 2000; round++)
        {
            var label = Text(random, random.Next(0, 250));
            var data = random.Next(3) == 0 ? null : Some(random, random.Next(0, 256));
            var request = new Request(ExpandOnly, digest, Some(random, hash), null, "tls13 ", label, data);
            AssertSame(request, random.Next(1, 5) == 1 ? random.Next(1, 1000) : random.Next(1, hash + 1));
        }
    }

    [Theory]
    [MemberData(nameof(Hashes))]
    public void Extraction_IsThatOfTheDefaultProvider(string digest, int hash)
    {
        var random = new Random(20261202);
        for (var round = 0; round < 500; round++)
        {
            var key = random.Next(4) == 0 ? null : Some(random, random.Next(1, 100));
            var salt = random.Next(4) == 0 ? null : Some(random, hash);
            AssertSame(new Request(ExtractOnly, digest, key, salt, "tls13 ", "derived", null), hash);
        }
    }

    [Theory]
    [InlineData(ExpandOnly, "SHA2-512", 250, 32)]
    [InlineData(ExpandOnly, "MD5", 10, 16)]
    [InlineData(ExpandOnly, "SHA3-256", 10, 32)]
    [InlineData(ExpandOnly, "SHA512-256", 10, 32)]
    [InlineData(ExtractOnly, "SHA3-384", 10, 48)]
    [InlineData(ExtractAndExpand, "SHA2-256", 10, 32)]
    [InlineData(3, "SHA2-256", 10, 32)]
    [InlineData(ExtractOnly, "SHA2-256", 10, 33)]
    [InlineData(ExpandOnly, "SHA2-256", 10, (255 * 32) + 1)]
    [InlineData(ExpandOnly, "SHA2-256", 250, 32)]
    public void WhatTls13DoesNotAskFor_IsRefused(int mode, string digest, int labelLength, int length)
    {
        var request = new Request(mode, digest, Bytes(32), null, "tls13 ", new string('x', labelLength), null);

        Assert.Null(Derive("provider=stickyws", request, length));
    }

    // HMAC takes no key for the last one, which may be another connection's.
    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void ExpansionWithoutASecret_IsRefused(bool isGiven)
    {
        Assert.NotNull(Derive("provider=stickyws", new Request(ExpandOnly, "SHA2-256", Bytes(32), null, "tls13 ", "key", null), 16));

        Assert.Null(Derive("provider=stickyws", new Request(ExpandOnly, "SHA2-256", isGiven ? [] : null, null, "tls13 ", "key", null), 16));
    }

    [Fact]
    public void OthersInTheProcess_KeepTheDefaultProvider()
    {
        Assert.True(KeyProvider.IsUsed);
        var kdf = EVP_KDF_fetch(0, "TLS13-KDF", null);

        Assert.Equal("default", Marshal.PtrToStringUTF8(OSSL_PROVIDER_get0_name(EVP_KDF_get0_provider(kdf))));
        EVP_KDF_free(kdf);
    }

    private static byte[] Some(Random random, int length)
    {
        var bytes = new byte[length];
        random.NextBytes(bytes);
        return bytes;
    }

    private static string Text(Random random, int length) => string.Concat(Enumerable.Range(0, length).Select(_ => (char)random.Next('a', 'z' + 1)));

    private static void AssertSame(Request request, int length)
    {
        var expected = Derive("provider=default", request, length);
        Assert.NotNull(expected);
        Assert.Equal(expected, Derive("provider=stickyws", request, length));
    }

    private static byte[]? Derive(string provider, Request request, int length)
    {
        Assert.True(KeyProvider.IsUsed);
        var kdf = EVP_KDF_fetch(0, "TLS13-KDF", provider);
        Assert.NotEqual(0, kdf);
        var context = EVP_KDF_CTX_new(kdf);
        EVP_KDF_free(kdf);
        var output = new byte[length];
        using var arguments = new Arguments(request);
        int result;
        fixed (byte* start = output) result = EVP_KDF_derive(context, start, (nuint)length, arguments.Start);
        EVP_KDF_CTX_free(context);
        return result == 1 ? output : null;
    }

    [LibraryImport(Library, StringMarshalling = StringMarshalling.Utf8)]
    private static partial nint EVP_KDF_fetch(nint library, string name, string? properties);

    [LibraryImport(Library)]
    private static partial void EVP_KDF_free(nint kdf);

    [LibraryImport(Library)]
    private static partial nint EVP_KDF_get0_provider(nint kdf);

    [LibraryImport(Library)]
    private static partial nint OSSL_PROVIDER_get0_name(nint provider);

    [LibraryImport(Library)]
    private static partial nint EVP_KDF_CTX_new(nint kdf);

    [LibraryImport(Library)]
    private static partial void EVP_KDF_CTX_free(nint context);

    [LibraryImport(Library)]
    private static partial int EVP_KDF_derive(nint context, byte* output, nuint length, OpenSsl.Parameter* parameters);

    private sealed record Request(int Mode, string Digest, byte[]? Key, byte[]? Salt, string Prefix, string Label, byte[]? Data);

    // As libssl lists them.
    private sealed class Arguments : IDisposable
    {
        private readonly List<nint> _memory = [];
        private int _count;

        public Arguments(Request request)
        {
            Start = (OpenSsl.Parameter*)Allocate(8 * sizeof(OpenSsl.Parameter));
            Add("mode", OpenSsl.OSSL_PARAM_INTEGER, BitConverter.GetBytes(request.Mode));
            Add("digest", OpenSsl.OSSL_PARAM_UTF8_STRING, Encoding.ASCII.GetBytes(request.Digest));
            if (request.Key is { } key) Add("key", OpenSsl.OSSL_PARAM_OCTET_STRING, key);
            if (request.Salt is { } salt) Add("salt", OpenSsl.OSSL_PARAM_OCTET_STRING, salt);
            Add("prefix", OpenSsl.OSSL_PARAM_OCTET_STRING, Encoding.ASCII.GetBytes(request.Prefix));
            Add("label", OpenSsl.OSSL_PARAM_OCTET_STRING, Encoding.ASCII.GetBytes(request.Label));
            if (request.Data is { } data) Add("data", OpenSsl.OSSL_PARAM_OCTET_STRING, data);
        }

        public OpenSsl.Parameter* Start { get; }

        public void Dispose()
        {
            foreach (var memory in _memory) NativeMemory.Free((void*)memory);
        }

        private void Add(string key, uint type, byte[] value) => Start[_count++] = new OpenSsl.Parameter
        {
            Key = Copy(Encoding.ASCII.GetBytes(key)),
            Type = type,
            Data = Copy(value),
            Size = (nuint)value.Length,
            ReturnSize = nuint.MaxValue,
        };

        private byte* Copy(byte[] bytes)
        {
            var copy = (byte*)Allocate(bytes.Length + 1);
            bytes.CopyTo(new Span<byte>(copy, bytes.Length));
            return copy;
        }

        private void* Allocate(int size)
        {
            var memory = NativeMemory.AllocZeroed((nuint)size);
            _memory.Add((nint)memory);
            return memory;
        }
    }
}
